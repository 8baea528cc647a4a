//! What goes between a host and its compiler: an order on the way there, an answer on the way back.
//!
//! An order is a line of JSON and then the plugin's bytes. An answer is a byte that says code or
//! refusal, and then the code, or the refusal as JSON. Both end with their streams.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plugin::error::Refusal;
use crate::settings::Sandbox;
use crate::slices;

/// What a compiler is given beside the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// What is compiled into code: the stack of its sandboxes, in bytes, and whether it counts
    /// fuel.
    pub(super) stack_bytes: usize,
    pub(super) counts_fuel: bool,
    /// Whether functions are compiled by as many threads as there are processors.
    pub(super) is_parallel: bool,
    /// Memory that it may take, in bytes.
    pub(super) memory_bytes: u64,
    /// Whether that is what the whole run has left, and less than compilers may take.
    pub(super) is_all_memory: bool,
    /// Time that it may take.
    pub(super) timeout: Duration,
}

impl Order {
    /// For a plugin of those sandboxes, in a run that has so much memory left.
    pub(super) fn new(limits: &Sandbox, is_parallel: bool, left_bytes: u64) -> Self {
        Self {
            stack_bytes: limits.stack_bytes,
            counts_fuel: limits.fuel.is_some(),
            is_parallel,
            memory_bytes: limits.compile_memory_bytes.min(left_bytes),
            is_all_memory: left_bytes < limits.compile_memory_bytes,
            timeout: limits.compile_timeout,
        }
    }

    /// Limits of sandboxes that compile to the same code.
    pub(super) fn sandbox(&self) -> Sandbox {
        let fuel = self.counts_fuel.then_some(0);
        Sandbox { stack_bytes: self.stack_bytes, fuel, ..Sandbox::default() }
    }

    pub(super) fn to_line(self) -> Vec<u8> {
        // There is nothing in it that could not be written.
        let mut line = serde_json::to_vec(&self).unwrap_or_default();
        line.push(b'\n');
        line
    }

    /// The order, and the plugin behind it.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), String> {
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("an order is a line")?;
        let (line, plugin) = bytes.split_at(end);
        let order = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        Ok((order, slices::part(plugin, 1..)))
    }
}

const CODE: u8 = b'c';
const REFUSED: u8 = b'r';

/// An answer in bytes, but for the code itself, which follows the first.
pub(super) fn answer(compiled: Result<(), &Refusal>) -> Vec<u8> {
    let mut bytes = vec![CODE];
    if let Err(refusal) = compiled {
        bytes = vec![REFUSED];
        bytes.extend(serde_json::to_vec(refusal).unwrap_or_default());
    }
    bytes
}

/// What an answer says; `None` where it is none.
pub(super) fn answered(mut bytes: Vec<u8>) -> Option<Result<Vec<u8>, Refusal>> {
    match *bytes.first()? {
        CODE => {
            bytes.drain(..1);
            Some(Ok(bytes))
        }
        REFUSED => Some(Err(serde_json::from_slice(bytes.get(1..)?).ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_answers_come_back_as_they_were() {
        let limits = Sandbox { fuel: Some(7), compile_memory_bytes: 100, ..Sandbox::default() };
        let order = Order::new(&limits, true, 100);
        assert_eq!((order.memory_bytes, order.is_all_memory), (100, false));
        let order = Order::new(&limits, true, 99);
        assert_eq!((order.memory_bytes, order.is_all_memory), (99, true));
        let sent = [&order.to_line()[..], b"plugin\n"].concat();
        assert_eq!(Order::read(&sent).unwrap(), (order, &b"plugin\n"[..]));
        assert!(Order::read(b"no line").is_err());
        let code = [&answer(Ok(()))[..], b"code"].concat();
        assert_eq!(answered(code).unwrap().ok().unwrap(), b"code");
        let refused = answer(Err(&Refusal::new("why").hint("so")));
        let refusal = answered(refused).unwrap().err().unwrap();
        assert_eq!(refusal.at("p".as_ref()).to_string(), "p: why");
        assert!(answered(Vec::new()).is_none() && answered(b"?".to_vec()).is_none());
    }
}
