//! `profile`: where the module's bytes go, and the instructions of a call.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use e2e_tests::fuel::Meter;
use e2e_tests::measured::calls;
use e2e_tests::profile::Profile;

/// Tells, by module and by function, where the bytes of a module go and the instructions of calls of the fixed set.
#[derive(Debug, Parser)]
#[command(name = "profile", version)]
struct Args {
    /// The policy's module, with the names of its functions
    module: PathBuf,

    /// The calls whose names hold this [default: all]
    #[arg(long, value_name = "TEXT", default_value = "")]
    call: String,

    /// The payload of a call: a request and settings
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,

    /// Instructions from one sample to the next
    #[arg(long, value_name = "COUNT", default_value_t = 211)]
    step: u64,
}

fn main() -> ExitCode {
    match profile(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn profile(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let module = std::fs::read(&args.module)?;
    if args.payload.is_none() {
        let bytes = Profile::of_bytes(&module)?;
        println!("{} bytes without the names\n\n{bytes}", bytes.total());
    }
    let meter = Meter::new(&module)?;
    let show = |name: &str, payload: &[u8]| -> Result<(), Box<dyn std::error::Error>> {
        let profile = Profile::of_call(&meter, payload, args.step)?;
        println!("{name}: {} instructions\n\n{profile}", profile.total());
        Ok(())
    };
    if let Some(payload) = &args.payload {
        return show(&payload.display().to_string(), &std::fs::read(payload)?);
    }
    for call in calls().iter().filter(|call| call.name.contains(&args.call)) {
        show(&call.name, &call.payload)?;
    }
    Ok(())
}
