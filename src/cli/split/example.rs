//! A quote to begin with.

use super::Format;

/// Two firms offer a small office its new computers.
const CSV: &str = "\
id,owner,price,cost,floor
laptops,acme,7500.00,6400.00,7100.00
rollout,acme,2400.00,1500.00,
firewall,bolt,3200.00,2450.00,3150.00
cabling,bolt,1850.00,1300.00,1500.00
";

const JSON: &str = r#"{
  "currency": "EUR",
  "slices": [
    {"id": "laptops", "owner": "acme", "price": "7500.00", "cost": "6400.00", "floor": "7100.00"},
    {"id": "rollout", "owner": "acme", "price": "2400.00", "cost": "1500.00"},
    {"id": "firewall", "owner": "bolt", "price": "3200.00", "cost": "2450.00", "floor": "3150.00"},
    {"id": "cabling", "owner": "bolt", "price": "1850.00", "cost": "1300.00", "floor": "1500.00"}
  ]
}
"#;

/// The example, as it is written in a format.
pub(super) const fn of(format: Format) -> &'static str {
    match format {
        Format::Csv => CSV,
        Format::Json => JSON,
    }
}
