//! Texts that people give: checked where they come in.

use super::AccountError;

const MAX_NAME: usize = 120;

/// A name: 1 to 120 characters, no control characters, trimmed.
pub(super) fn name(field: &'static str, text: &str) -> Result<String, AccountError> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > MAX_NAME || text.chars().any(char::is_control) {
        let why = format!("Write 1 to {MAX_NAME} characters in one line.");
        return Err(AccountError::Invalid(field, why));
    }
    Ok(text.to_owned())
}

/// An address of electronic mail, in lower case. Whether it exists is for mail to find out.
pub(super) fn email(text: &str) -> Result<String, AccountError> {
    let text = text.trim().to_lowercase();
    let parts = text.split_once('@');
    let sound = parts.is_some_and(|(user, domain)| {
        !user.is_empty()
            && domain.contains('.')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !domain.contains('@')
    });
    let plain = text.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if !sound || !plain || text.len() > 200 {
        return Err(AccountError::Invalid("email", "This is not an address like name@example.org.".into()));
    }
    Ok(text)
}
