//! The root that is compiled in.

/// The root that hosts trust when their configuration names none: in debug builds (or with the feature
/// `development-keys`) that of the development keys, whose private halves everybody knows. A release build has none yet.
pub fn built_in_root() -> Option<&'static [u8]> {
    #[cfg(any(debug_assertions, feature = "development-keys"))]
    return Some(include_bytes!("../roots/development.json"));
    #[cfg(not(any(debug_assertions, feature = "development-keys")))]
    return None;
}
