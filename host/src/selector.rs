//! The selector language: which machines.
