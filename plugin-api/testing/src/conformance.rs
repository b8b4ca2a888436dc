//! Checks that an engine keeps the contract.
