//! UBL 2.1: a Quotation for what is offered, an Invoice (of the type pro forma) for what is owed.
//!
//! Concessions and surcharges are allowances and charges of the whole document, whose amounts are
//! whole minor units already; therefore the totals add up and the payable amount is never rounded.
//! Tax is not part of it: a concession is made before tax.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::document::{
    Adjustment, DEFINED_BY_PARTIES, DISCOUNT, Document, Line, Side, Sort, Totals, decimal,
};
use crate::domain::refusal::{Reason, Refusal};

/// Namespace of parts.
const PARTS: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";
/// Namespace of values.
const VALUES: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";
/// Type of an invoice that asks for no tax: pro forma (UNCL 1001).
const PRO_FORMA: &str = "325";
/// The unit of a thing that is counted as one (UNECE Rec 20).
const ONE: &str = "C62";

/// What is written while a document is.
type Written = std::io::Result<()>;
/// Where it is written.
type Xml = Writer<Vec<u8>>;

/// The document as XML.
///
/// # Errors
/// [`Reason::OutOfRange`] if a total does not fit; [`Reason::Internal`] if it cannot be written, which
/// memory alone can cause.
pub(in crate::api) fn ubl(document: &Document) -> Result<Vec<u8>, Refusal> {
    let totals = document.totals()?;
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(&mut xml, document, totals)
        .map_err(|error| Refusal::new(Reason::Internal, error.to_string()))?;
    Ok(xml.into_inner())
}

/// What the two sorts call the same things.
struct Names {
    root: &'static str,
    supplier: &'static str,
    customer: &'static str,
    totals: &'static str,
}

impl Names {
    const fn of(sort: Sort) -> Self {
        match sort {
            Sort::Quotation => Self {
                root: "Quotation",
                supplier: "cac:SellerSupplierParty",
                customer: "cac:BuyerCustomerParty",
                totals: "cac:QuotedMonetaryTotal",
            },
            Sort::Invoice => Self {
                root: "Invoice",
                supplier: "cac:AccountingSupplierParty",
                customer: "cac:AccountingCustomerParty",
                totals: "cac:LegalMonetaryTotal",
            },
        }
    }
}

fn write(xml: &mut Xml, document: &Document, totals: Totals) -> Written {
    let names = Names::of(document.sort);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = names.root;
    let own = format!("urn:oasis:names:specification:ubl:schema:xsd:{root}-2");
    let element = xml.create_element(root).with_attributes([
        ("xmlns", own.as_str()),
        ("xmlns:cac", PARTS),
        ("xmlns:cbc", VALUES),
    ]);
    element.write_inner_content(|xml| {
        text(xml, "cbc:UBLVersionID", "2.1")?;
        text(xml, "cbc:ID", &document.id)?;
        text(xml, "cbc:IssueDate", &document.date.to_string())?;
        if document.sort == Sort::Invoice {
            text(xml, "cbc:InvoiceTypeCode", PRO_FORMA)?;
        }
        if !document.note.is_empty() {
            text(xml, "cbc:Note", &document.note)?;
        }
        let currency = match document.sort {
            Sort::Quotation => "cbc:PricingCurrencyCode",
            Sort::Invoice => "cbc:DocumentCurrencyCode",
        };
        text(xml, currency, document.currency.code())?;
        side(xml, names.supplier, &document.supplier)?;
        side(xml, names.customer, &document.customer)?;
        for adjustment in &document.adjustments {
            allowance_or_charge(xml, document, adjustment)?;
        }
        part(xml, names.totals, |xml| total(xml, document, totals))?;
        for (index, line) in document.lines.iter().enumerate() {
            self::line(xml, document, index + 1, line)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// An element with others in it.
fn part(xml: &mut Xml, name: &str, inner: impl FnOnce(&mut Xml) -> Written) -> Written {
    xml.create_element(name).write_inner_content(inner)?;
    Ok(())
}

/// An element with text in it.
fn text(xml: &mut Xml, name: &str, value: &str) -> Written {
    let value = allowed(value);
    let element = xml.create_element(name);
    element.write_text_content(BytesText::new(&value))?;
    Ok(())
}

/// An element with an amount in it.
fn amount(xml: &mut Xml, name: &str, document: &Document, minor: i64) -> Written {
    let value = decimal(document.currency, minor);
    let element = xml.create_element(name);
    let element = element.with_attribute(("currencyID", document.currency.code()));
    element.write_text_content(BytesText::new(&value))?;
    Ok(())
}

/// The text with only such characters as XML 1.0 can hold.
fn allowed(text: &str) -> String {
    let is_allowed = |character: char| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let replaced = |character| {
        if is_allowed(character) {
            character
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    text.chars().map(replaced).collect()
}

fn side(xml: &mut Xml, name: &str, side: &Side) -> Written {
    part(xml, name, |xml| {
        part(xml, "cac:Party", |xml| {
            part(xml, "cac:PartyIdentification", |xml| {
                text(xml, "cbc:ID", &side.id)
            })?;
            part(xml, "cac:PartyName", |xml| {
                text(xml, "cbc:Name", &side.name)
            })
        })
    })
}

fn allowance_or_charge(xml: &mut Xml, document: &Document, adjustment: &Adjustment) -> Written {
    let is_charge = adjustment.is_charge();
    let code = if is_charge {
        DEFINED_BY_PARTIES
    } else {
        DISCOUNT
    };
    part(xml, "cac:AllowanceCharge", |xml| {
        text(
            xml,
            "cbc:ChargeIndicator",
            if is_charge { "true" } else { "false" },
        )?;
        text(xml, "cbc:AllowanceChargeReasonCode", code)?;
        text(xml, "cbc:AllowanceChargeReason", &adjustment.reason)?;
        // No share is the least number, so its opposite is one.
        let off = adjustment.off;
        let size = if is_charge { off.saturating_neg() } else { off };
        amount(xml, "cbc:Amount", document, size)
    })
}

fn total(xml: &mut Xml, document: &Document, totals: Totals) -> Written {
    for (name, minor) in [
        ("cbc:LineExtensionAmount", totals.lines),
        ("cbc:TaxExclusiveAmount", totals.payable),
        ("cbc:TaxInclusiveAmount", totals.payable),
        ("cbc:AllowanceTotalAmount", totals.allowances),
        ("cbc:ChargeTotalAmount", totals.charges),
        ("cbc:PayableRoundingAmount", 0),
        ("cbc:PayableAmount", totals.payable),
    ] {
        amount(xml, name, document, minor)?;
    }
    Ok(())
}

fn line(xml: &mut Xml, document: &Document, number: usize, line: &Line) -> Written {
    let number = number.to_string();
    match document.sort {
        Sort::Invoice => part(xml, "cac:InvoiceLine", |xml| {
            text(xml, "cbc:ID", &number)?;
            quantity(xml, "cbc:InvoicedQuantity")?;
            amount(xml, "cbc:LineExtensionAmount", document, line.price)?;
            item(xml, line)?;
            price(xml, document, line)
        }),
        Sort::Quotation => part(xml, "cac:QuotationLine", |xml| {
            text(xml, "cbc:ID", &number)?;
            part(xml, "cac:LineItem", |xml| {
                text(xml, "cbc:ID", &number)?;
                quantity(xml, "cbc:Quantity")?;
                amount(xml, "cbc:LineExtensionAmount", document, line.price)?;
                price(xml, document, line)?;
                item(xml, line)
            })
        }),
    }
}

fn quantity(xml: &mut Xml, name: &str) -> Written {
    let element = xml.create_element(name).with_attribute(("unitCode", ONE));
    element.write_text_content(BytesText::new("1"))?;
    Ok(())
}

fn item(xml: &mut Xml, line: &Line) -> Written {
    part(xml, "cac:Item", |xml| {
        if !line.description.is_empty() {
            text(xml, "cbc:Description", &line.description)?;
        }
        text(xml, "cbc:Name", &line.name)
    })
}

fn price(xml: &mut Xml, document: &Document, line: &Line) -> Written {
    part(xml, "cac:Price", |xml| {
        amount(xml, "cbc:PriceAmount", document, line.price)
    })
}
