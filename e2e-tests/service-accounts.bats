#!/usr/bin/env bats
load helper

@test "service-accounts: an account without automounting passes" {
  accepts service-accounts-automount-false mutate
  accepts service-accounts-automount-false validate
}

@test "service-accounts: an account with automounting is denied" {
  for mode in mutate validate; do
    denies service-accounts-automount-true "$mode" "service-accounts/account-automount: automountServiceAccountToken"
  done
}

@test "service-accounts: where repair is asked for, automounting is turned off" {
  mutates service-accounts-automount-repaired
  patches '. == [{"op": "replace", "path": "/automountServiceAccountToken", "value": false}]'
}

@test "service-accounts: where repair is asked for, an account gets its cloud role" {
  mutates service-accounts-role-repaired
  patches 'any(tostring | contains("arn:aws:iam::111122223333:role/airflow"))'
  denies service-accounts-role-repaired validate "service-accounts/role-lacking"
}

@test "service-accounts: under Audit it is reported" {
  warns service-accounts-automount-audit validate "not enforced: service-accounts/account-automount"
}

@test "service-accounts: repair is yes or no" {
  refuses service-accounts
}
