//! Counts what one call of `validate` costs: instructions, as wasmtime's fuel, and linear memory.
//!
//! Each measurement is a fresh instance, and what it does while it starts is part of the count, as in policy-server. Host
//! calls fail here: what a lookup costs is the cluster's affair.
//!
//! A call that is stopped short tells where it was: stopped over and over, each time a little later, it draws its profile.

use wasmtime_provider::wasmtime::{
    Caller, Config, Engine, Extern, InstancePre, Linker, Memory, Module, Result, Store, Trap, WasmBacktrace, format_err,
};
use wasmtime_provider::wasmtime_wasi::{Deterministic, WasiCtxBuilder, p1};

/// More than any call could use up.
const TANK: u64 = 1_000_000_000_000;

/// The functions that a module may export to be called before anything else.
const STARTERS: [&str; 3] = ["_initialize", "_start", "wapc_init"];

/// What a call cost, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Instructions, as wasmtime counts them.
    pub fuel: u64,
    /// The size of the linear memory after the call, in bytes.
    pub memory_bytes: usize,
    /// The module's response.
    pub response: Vec<u8>,
}

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FuelError(String);

/// A module compiled for measuring.
pub struct Meter {
    module: InstancePre<State>,
}

struct State {
    wasi: p1::WasiP1Ctx,
    payload: Vec<u8>,
    response: Vec<u8>,
    error: Vec<u8>,
}

const OPERATION: &[u8] = b"validate";
const NO_HOST: &[u8] = b"there is no host to ask while measuring";

/// Measures one call; to measure several, compile once with [`Meter::new`].
///
/// # Errors
/// When the module does not compile, traps, or answers with an error.
pub fn measure(module: &[u8], payload: &[u8]) -> std::result::Result<Measured, FuelError> {
    Meter::new(module)?.measure(payload)
}

impl Meter {
    /// Compiles a module: WebAssembly, or its text format.
    ///
    /// # Errors
    /// When the bytes are no module, or one that imports what policy-server does not offer.
    pub fn new(module: &[u8]) -> std::result::Result<Self, FuelError> {
        Self::compile(module).map_err(|error| FuelError(format!("not a policy module: {error:#}")))
    }

    /// Measures one call of a fresh instance with the payload of `validate`.
    ///
    /// # Errors
    /// When the module traps, or answers with an error.
    pub fn measure(&self, payload: &[u8]) -> std::result::Result<Measured, FuelError> {
        self.call(payload, TANK).map_err(|error| FuelError(format!("the call failed: {error:#}")))
    }

    /// The functions that a call is in, the innermost first, when it has taken so many instructions; `None` when it has
    /// ended before. The functions have names if the module names them.
    ///
    /// # Errors
    /// When the module traps, or answers with an error.
    pub fn stack_at(&self, payload: &[u8], fuel: u64) -> std::result::Result<Option<Vec<String>>, FuelError> {
        let error = match self.call(payload, fuel) {
            Ok(_) => return Ok(None),
            Err(error) => error,
        };
        match (error.downcast_ref::<Trap>(), error.downcast_ref::<WasmBacktrace>()) {
            (Some(Trap::OutOfFuel), Some(stack)) => {
                let name = |frame: &wasmtime_provider::wasmtime::FrameInfo| {
                    frame.func_name().map_or_else(|| format!("function {}", frame.func_index()), str::to_owned)
                };
                Ok(Some(stack.frames().iter().map(name).collect()))
            }
            _ => Err(FuelError(format!("the call failed: {error:#}"))),
        }
    }

    fn compile(bytes: &[u8]) -> Result<Self> {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, bytes)?;
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_sync(&mut linker, |state: &mut State| &mut state.wasi)?;
        link_host(&mut linker)?;
        Ok(Self { module: linker.instantiate_pre(&module)? })
    }

    fn call(&self, payload: &[u8], tank: u64) -> Result<Measured> {
        // Hash tables of the module are seeded, and what a look-up costs depends on the seed.
        let seeds = Deterministic::new(vec![0x5e, 0xed]);
        let state = State {
            wasi: WasiCtxBuilder::new().secure_random(seeds).build_p1(),
            payload: payload.to_vec(),
            response: Vec::new(),
            error: Vec::new(),
        };
        let mut store = Store::new(self.module.module().engine(), state);
        store.set_fuel(tank)?;
        let instance = self.module.instantiate(&mut store)?;
        for name in STARTERS {
            if let Some(starter) = instance.get_func(&mut store, name) {
                starter.typed::<(), ()>(&store)?.call(&mut store, ())?;
            }
        }
        let guest_call = instance.get_typed_func::<(i32, i32), i32>(&mut store, "__guest_call")?;
        let lengths = (length(OPERATION)?, length(payload)?);
        let done = guest_call.call(&mut store, lengths)?;
        if done == 0 {
            return Err(format_err!("{}", String::from_utf8_lossy(&store.data().error)));
        }
        let memory =
            instance.get_memory(&mut store, "memory").ok_or_else(|| format_err!("the module exports no memory"))?;
        Ok(Measured {
            fuel: tank - store.get_fuel()?,
            memory_bytes: memory.data_size(&store),
            response: std::mem::take(&mut store.data_mut().response),
        })
    }
}

/// The host's side of waPC.
fn link_host(linker: &mut Linker<State>) -> Result<()> {
    type Guest<'a> = Caller<'a, State>;
    linker.func_wrap("wapc", "__guest_request", |mut guest: Guest<'_>, operation: u32, payload: u32| {
        let (memory, bytes) = (memory(&mut guest)?, guest.data().payload.clone());
        memory.write(&mut guest, operation as usize, OPERATION)?;
        Ok(memory.write(&mut guest, payload as usize, &bytes)?)
    })?;
    linker.func_wrap("wapc", "__guest_response", |mut guest: Guest<'_>, at: u32, len: u32| {
        let bytes = read(&mut guest, at, len)?;
        guest.data_mut().response = bytes;
        Ok(())
    })?;
    linker.func_wrap("wapc", "__guest_error", |mut guest: Guest<'_>, at: u32, len: u32| {
        let bytes = read(&mut guest, at, len)?;
        guest.data_mut().error = bytes;
        Ok(())
    })?;
    linker.func_wrap(
        "wapc",
        "__host_call",
        |mut guest: Guest<'_>, _: u32, _: u32, namespace: u32, length: u32, _: u32, _: u32, _: u32, _: u32| {
            // Log lines are taken, everything else fails.
            Ok(i32::from(read(&mut guest, namespace, length)? == b"tracing"))
        },
    )?;
    linker.func_wrap("wapc", "__host_response", |_: u32| ())?;
    linker.func_wrap("wapc", "__host_response_len", || 0)?;
    linker.func_wrap("wapc", "__host_error", |mut guest: Guest<'_>, at: u32| {
        Ok(memory(&mut guest)?.write(&mut guest, at as usize, NO_HOST)?)
    })?;
    linker.func_wrap("wapc", "__host_error_len", || length(NO_HOST))?;
    linker.func_wrap("wapc", "__console_log", |_: u32, _: u32| ())?;
    Ok(())
}

fn memory(guest: &mut Caller<'_, State>) -> Result<Memory> {
    let memory = guest.get_export("memory").and_then(Extern::into_memory);
    memory.ok_or_else(|| format_err!("the module exports no memory"))
}

fn read(guest: &mut Caller<'_, State>, at: u32, len: u32) -> Result<Vec<u8>> {
    let mut bytes = vec![0; len as usize];
    memory(guest)?.read(guest, at as usize, &mut bytes)?;
    Ok(bytes)
}

fn length(bytes: &[u8]) -> Result<i32> {
    i32::try_from(bytes.len()).map_err(|_| format_err!("a payload of more than 2 GiB"))
}
