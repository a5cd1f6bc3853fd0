# What an AdmissionResponse comes to: its patch is applied to the object of $request, as the API server would.
def steps: ltrimstr("/") | split("/") | map(gsub("~1"; "/") | gsub("~0"; "~"));

# A path of keys and numbers, by what is there; `-` is the place behind a list's last element.
def place($steps):
  . as $whole
  | reduce $steps[] as $step ([];
      . as $path
      | ($whole | getpath($path)) as $here
      | $path + [if ($here | type) != "array" then $step elif $step == "-" then $here | length else $step | tonumber end]);

def change:
  .[0] as $change
  | .[1]
  | place($change.path | steps) as $at
  | if $change.op == "remove" then delpaths([$at])
    elif $change.op == "replace" then setpath($at; $change.value)
    elif $change.op != "add" then error("no such change: \($change)")
    elif ($at[-1] | type) == "number" then
      setpath($at[:-1]; getpath($at[:-1]) | .[:$at[-1]] + [$change.value] + .[$at[-1]:])
    else setpath($at; $change.value) end;

{
  allowed,
  code: .status.code,
  message: .status.message,
  warnings: (.warnings // []),
  auditAnnotations: (.auditAnnotations // {}),
  object: (if .patch then reduce (.patch | @base64d | fromjson | .[]) as $change ($request[0].object; [$change, .] | change) else null end)
}
