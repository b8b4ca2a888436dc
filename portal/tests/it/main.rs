//! Tests of the portal.
#![allow(clippy::unwrap_used)]

mod access;
mod accounts;
mod advisories;
mod checkout;
mod config;
mod crash;
mod downloads;
mod engines;
mod hosts;
mod keys;
mod licenses;
mod openapi;
mod orders;
mod pages;
mod portal;
mod publishing;
mod second_factor;
mod stripe;
mod tuf;
