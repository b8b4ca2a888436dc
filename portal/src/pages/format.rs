//! How pages write money, dates and states.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{catalogue::Plan, orders::Standing};

/// Currencies whose smallest unit is the whole.
const WHOLE: [&str; 4] = ["jpy", "krw", "vnd", "clp"];

/// An amount in a currency: `EUR 30.00`.
pub(super) fn money(amount: i64, currency: &str) -> String {
    let code = currency.to_uppercase();
    if WHOLE.contains(&currency) {
        return format!("{code} {amount}");
    }
    let sign = if amount < 0 { "-" } else { "" };
    let amount = amount.unsigned_abs();
    format!("{code} {sign}{}.{:02}", amount / 100, amount % 100)
}

/// The price of a plan: `EUR 3.00 per machine and month`.
pub(super) fn price(plan: &Plan) -> String {
    format!("{} per machine and {}", money(plan.unit_amount, &plan.currency), plan.interval.name())
}

/// A day.
pub(super) fn day(at: DateTime<Utc>) -> Markup {
    html! { time datetime=(at.to_rfc3339()) { (at.format("%Y-%m-%d")) } }
}

/// A moment, to the minute.
pub(super) fn moment(at: DateTime<Utc>) -> Markup {
    html! { time datetime=(at.to_rfc3339()) { (at.format("%Y-%m-%d %H:%M")) " UTC" } }
}

/// A size for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} B"),
        10_000..=9_999_999 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// How an order stands: in words, and in a colour that only repeats them.
pub(super) fn standing(standing: Standing) -> Markup {
    let (class, words) = match standing {
        Standing::Pending => ("orange", "Waits for payment"),
        Standing::Trial => ("blue", "Trial"),
        Standing::Active => ("green", "Active"),
        Standing::Ending => ("blue", "Active, will not be renewed"),
        Standing::PastDue => ("orange", "Payment is due"),
        Standing::Expired => ("gray", "Ended"),
        Standing::Refunded => ("gray", "Refunded"),
        Standing::Disputed => ("red", "Charged back"),
        Standing::Revoked => ("red", "Revoked"),
    };
    html! { span.badge.(class) { (words) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_with_its_currency() {
        assert_eq!(money(3000, "eur"), "EUR 30.00");
        assert_eq!(money(5, "usd"), "USD 0.05");
        assert_eq!(money(-150, "usd"), "USD -1.50");
        assert_eq!(money(500, "jpy"), "JPY 500");
    }
}
