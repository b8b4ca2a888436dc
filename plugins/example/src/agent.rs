//! The half that runs on machines.

mod greet;

use plugin_sdk::Commands;

/// Command handlers, by the names in `plugin.toml`.
pub fn commands() -> Commands {
    Commands::new().on("greet", greet::run)
}
