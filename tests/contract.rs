//! The contract keeps its own rules. These tests read the compiled contract, comments included, so
//! they hold for whatever is added to it.

use std::collections::{BTreeMap, BTreeSet};

use entente::domain::refusal::Reason;
use entente::proto::DESCRIPTOR;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    Value,
};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};

/// The package that the rules are about; Google's packages are not ours to judge.
const PACKAGE: &str = "entente.v1";

/// RPCs that begin so only read.
const READING_PREFIXES: [&str; 14] = [
    "BatchGet",
    "Check",
    "Compute",
    "CreateCheckupLink",
    "Explain",
    "Export",
    "Get",
    "List",
    "Lookup",
    "Open",
    "ProposeParity",
    "Simulate",
    "Watch",
    "WhoAmI",
];

/// A comment of fewer words says nothing that the name does not say.
const COMMENT_WORDS_MIN: usize = 2;

/// Field numbers of `descriptor.proto`, of which source code paths are made.
mod path {
    /// Messages of a file.
    pub const FILE_MESSAGE: i32 = 4;
    /// Enums of a file.
    pub const FILE_ENUM: i32 = 5;
    /// Services of a file.
    pub const FILE_SERVICE: i32 = 6;
    /// Fields of a message.
    pub const MESSAGE_FIELD: i32 = 2;
    /// Messages within a message.
    pub const MESSAGE_MESSAGE: i32 = 3;
    /// Enums within a message.
    pub const MESSAGE_ENUM: i32 = 4;
    /// Oneofs of a message.
    pub const MESSAGE_ONEOF: i32 = 8;
    /// Values of an enum.
    pub const ENUM_VALUE: i32 = 2;
    /// RPCs of a service.
    pub const SERVICE_METHOD: i32 = 2;
}

/// Comments of one file's elements, by the dotted name of the element.
struct Commented<'a> {
    comments: BTreeMap<&'a [i32], &'a str>,
    found: BTreeMap<String, String>,
}

impl<'a> Commented<'a> {
    /// Every element of `file` with its comment on one line, empty if it has none.
    fn read(file: &'a FileDescriptorProto) -> BTreeMap<String, String> {
        let locations = file
            .source_code_info
            .as_ref()
            .expect("compiled with source info");
        let comments = locations
            .location
            .iter()
            .map(|location| (location.path.as_slice(), location.leading_comments()))
            .collect();
        let mut walk = Self {
            comments,
            found: BTreeMap::new(),
        };
        for (index, message) in numbered(&file.message_type) {
            walk.message(PACKAGE, message, &[path::FILE_MESSAGE, index]);
        }
        for (index, declared) in numbered(&file.enum_type) {
            walk.enumeration(PACKAGE, declared, &[path::FILE_ENUM, index]);
        }
        for (index, service) in numbered(&file.service) {
            let at = [path::FILE_SERVICE, index];
            let name = walk.note(PACKAGE, service.name(), &at);
            for (index, method) in numbered(&service.method) {
                walk.note(
                    &name,
                    method.name(),
                    &extended(&at, path::SERVICE_METHOD, index),
                );
            }
        }
        walk.found
    }

    fn message(&mut self, parent: &str, message: &DescriptorProto, at: &[i32]) {
        let name = self.note(parent, message.name(), at);
        for (index, field) in numbered(&message.field) {
            self.note(
                &name,
                field.name(),
                &extended(at, path::MESSAGE_FIELD, index),
            );
        }
        for (index, oneof) in numbered(&message.oneof_decl) {
            // An `optional` field has a oneof that nobody wrote.
            let written = message
                .field
                .iter()
                .any(|field| field.oneof_index == Some(index) && !field.proto3_optional());
            if written {
                self.note(
                    &name,
                    oneof.name(),
                    &extended(at, path::MESSAGE_ONEOF, index),
                );
            }
        }
        for (index, nested) in numbered(&message.nested_type) {
            self.message(&name, nested, &extended(at, path::MESSAGE_MESSAGE, index));
        }
        for (index, nested) in numbered(&message.enum_type) {
            self.enumeration(&name, nested, &extended(at, path::MESSAGE_ENUM, index));
        }
    }

    fn enumeration(&mut self, parent: &str, declared: &EnumDescriptorProto, at: &[i32]) {
        let name = self.note(parent, declared.name(), at);
        for (index, value) in numbered(&declared.value) {
            self.note(&name, value.name(), &extended(at, path::ENUM_VALUE, index));
        }
    }

    /// Notes an element's comment and returns the element's full name.
    fn note(&mut self, parent: &str, name: &str, at: &[i32]) -> String {
        let full_name = format!("{parent}.{name}");
        let comment = self.comments.get(at).copied().unwrap_or_default();
        let one_line = comment.split_whitespace().collect::<Vec<_>>().join(" ");
        self.found.insert(full_name.clone(), one_line);
        full_name
    }
}

/// Items with their index as descriptor paths have it.
fn numbered<T>(items: &[T]) -> impl Iterator<Item = (i32, &T)> {
    (0..).zip(items)
}

/// The path of something inside of what lies at `at`.
fn extended(at: &[i32], kind: i32, index: i32) -> Vec<i32> {
    [at, &[kind, index]].concat()
}

fn pool() -> DescriptorPool {
    DescriptorPool::decode(DESCRIPTOR).expect("the contract is a valid descriptor set")
}

/// Every element of the package with its comment.
fn comments() -> BTreeMap<String, String> {
    let pool = pool();
    let comments: BTreeMap<_, _> = pool
        .files()
        .filter(|file| file.package_name() == PACKAGE)
        .flat_map(|file| Commented::read(file.file_descriptor_proto()))
        .collect();
    assert!(
        comments.len() > 500,
        "only {} elements: was the contract read?",
        comments.len()
    );
    comments
}

fn messages(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    pool.all_messages()
        .filter(|message| message.package_name() == PACKAGE)
        .collect()
}

fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let methods: Vec<_> = pool
        .services()
        .filter(|service| service.package_name() == PACKAGE)
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect();
    assert!(
        methods.len() > 50,
        "only {} RPCs: was the contract read?",
        methods.len()
    );
    methods
}

fn only_reads(method: &MethodDescriptor) -> bool {
    READING_PREFIXES
        .iter()
        .any(|prefix| method.name().starts_with(prefix))
}

/// Whether `message` has a singular field of that name and kind.
fn has_field(message: &MessageDescriptor, name: &str, kind: &Kind) -> bool {
    message
        .get_field_by_name(name)
        .is_some_and(|field| field.kind() == *kind && !field.is_list())
}

/// The value of the option `extension` on an element with these options, if it is set.
fn option(pool: &DescriptorPool, options: &DynamicMessage, extension: &str) -> Option<Value> {
    let extension = pool
        .get_extension_by_name(extension)
        .expect("vendored with the contract");
    options
        .has_extension(&extension)
        .then(|| options.get_extension(&extension).into_owned())
}

/// Asserts that nothing is wrong, and lists all that is.
fn assert_none(wrong: &[String], rule: &str) {
    assert!(wrong.is_empty(), "{rule}; not so:\n{}", wrong.join("\n"));
}

/// The reasons that the contract declares, without their prefix and without UNSPECIFIED.
fn declared_reasons() -> BTreeSet<String> {
    pool()
        .get_enum_by_name("entente.v1.ErrorReason")
        .expect("declared")
        .values()
        .filter(|value| value.number() != 0)
        .map(|value| reason_of(value.name()).to_owned())
        .collect()
}

fn reason_of(value_name: &str) -> &str {
    value_name
        .strip_prefix("ERROR_REASON_")
        .expect("prefixed with the name of its enum")
}

#[test]
fn every_element_is_commented() {
    let wrong: Vec<_> = comments()
        .into_iter()
        .filter(|(_, comment)| comment.split_whitespace().count() < COMMENT_WORDS_MIN)
        .map(|(name, comment)| format!("{name}: {comment:?}"))
        .collect();
    assert_none(&wrong, "every element has a comment");
}

#[test]
fn every_rpc_lists_its_errors() {
    let pool = pool();
    let comments = comments();
    let declared = declared_reasons();
    let mut wrong = Vec::new();
    for method in methods(&pool) {
        let Some((_, errors)) = comments[method.full_name()].split_once("Errors:") else {
            wrong.push(format!("{}: no `Errors:`", method.full_name()));
            continue;
        };
        let named: BTreeSet<_> = errors
            .split(|character: char| !character.is_ascii_uppercase() && character != '_')
            .filter(|word| word.len() > 2)
            .map(str::to_owned)
            .collect();
        for unknown in named.difference(&declared) {
            wrong.push(format!("{}: no such reason: {unknown}", method.full_name()));
        }
    }
    assert_none(
        &wrong,
        "every RPC's comment lists the reasons with which it fails",
    );
}

#[test]
fn every_error_reason_has_an_example() {
    let comments = comments();
    let pool = pool();
    let mut wrong = Vec::new();
    for value in pool
        .get_enum_by_name("entente.v1.ErrorReason")
        .expect("declared")
        .values()
    {
        // Values are siblings of their enum by protobuf's scoping, children by ours.
        let comment = &comments[&format!("entente.v1.ErrorReason.{}", value.name())];
        let Some((meaning, example)) = comment.split_once("Example: ") else {
            wrong.push(format!("{}: no example", value.name()));
            continue;
        };
        if value.number() == 0 {
            continue;
        }
        let info: serde_json::Value =
            serde_json::from_str(example.trim_matches('`')).expect("the example is JSON");
        let fits = info["reason"] == reason_of(value.name()) && info["domain"] == "entente";
        if !fits || !meaning.contains("Code: ") {
            wrong.push(format!("{}: {comment}", value.name()));
        }
    }
    assert_none(
        &wrong,
        "every reason has its code and an example with its own name",
    );
}

#[test]
fn the_domain_refuses_for_the_declared_reasons() {
    let known: BTreeSet<_> = Reason::ALL
        .iter()
        .map(|reason| reason.as_str().to_owned())
        .collect();
    assert_eq!(known, declared_reasons());
}

#[test]
fn every_reason_is_answered_with_its_declared_code() {
    let comments = comments();
    let mut wrong = Vec::new();
    for reason in Reason::ALL {
        let value = format!("ERROR_REASON_{}", reason.as_str());
        let comment = comments
            .iter()
            .find_map(|(name, comment)| name.ends_with(&value).then_some(comment));
        let declared = comment.and_then(|comment| {
            let words: Vec<_> = comment.split_whitespace().collect();
            let at = words.iter().position(|word| *word == "Code:")?;
            words
                .get(at + 1)
                .map(|code| code.trim_end_matches('.').replace('_', "").to_lowercase())
        });
        let answered = format!("{:?}", entente::api::status::code(*reason)).to_lowercase();
        if declared.as_ref() != Some(&answered) {
            wrong.push(format!(
                "{value}: declared {declared:?}, answered {answered}"
            ));
        }
    }
    assert_none(
        &wrong,
        "every reason is answered with the code that its comment declares",
    );
}

#[test]
fn every_mutation_can_be_retried() {
    let wrong: Vec<_> = methods(&pool())
        .iter()
        .filter(|method| !only_reads(method))
        .filter(|method| !has_field(&method.input(), "request_id", &Kind::String))
        .map(|method| method.full_name().to_owned())
        .collect();
    assert_none(&wrong, "every mutation has a `request_id`");
}

#[test]
fn every_mutation_names_its_origin() {
    let wrong: Vec<_> = methods(&pool())
        .iter()
        .filter(|method| !only_reads(method))
        .filter(|method| !has_field(&method.input(), "origin", &Kind::String))
        .map(|method| method.full_name().to_owned())
        .collect();
    assert_none(&wrong, "every mutation has an `origin`");
}

#[test]
fn every_list_has_pages() {
    let wrong: Vec<_> = methods(&pool())
        .iter()
        .filter(|method| method.name().starts_with("List"))
        .filter(|method| {
            !has_field(&method.input(), "page_size", &Kind::Int32)
                || !has_field(&method.input(), "page_token", &Kind::String)
                || !has_field(&method.output(), "next_page_token", &Kind::String)
        })
        .map(|method| method.full_name().to_owned())
        .collect();
    assert_none(
        &wrong,
        "every List has page_size, page_token and next_page_token",
    );
}

#[test]
fn every_unary_rpc_has_a_path() {
    let pool = pool();
    let wrong: Vec<_> = methods(&pool)
        .iter()
        .filter(|method| !method.is_server_streaming() && !method.is_client_streaming())
        .filter(|method| option(&pool, &method.options(), "google.api.http").is_none())
        .map(|method| method.full_name().to_owned())
        .collect();
    assert_none(&wrong, "every unary RPC has a google.api.http annotation");
}

#[test]
fn every_enum_begins_with_unspecified() {
    let wrong: Vec<_> = pool()
        .all_enums()
        .filter(|declared| declared.package_name() == PACKAGE)
        .filter(|declared| !declared.default_value().name().ends_with("_UNSPECIFIED"))
        .map(|declared| declared.full_name().to_owned())
        .collect();
    assert_none(&wrong, "the zero value of every enum ends in _UNSPECIFIED");
}

#[test]
fn no_field_is_a_float() {
    let wrong: Vec<_> = messages(&pool())
        .iter()
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter(|field| matches!(field.kind(), Kind::Float | Kind::Double))
        .map(|field| field.full_name().to_owned())
        .collect();
    assert_none(&wrong, "money, time and shares are exact");
}

#[test]
fn every_field_states_its_behavior() {
    let pool = pool();
    let states = |field: &FieldDescriptor| {
        option(&pool, &field.options(), "google.api.field_behavior")
            .is_some_and(|behavior| behavior.as_list().is_some_and(|list| !list.is_empty()))
    };
    let wrong: Vec<_> = messages(&pool)
        .iter()
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter(|field| !states(field))
        .map(|field| field.full_name().to_owned())
        .collect();
    assert_none(&wrong, "every field has a google.api.field_behavior");
}

/// Resources in which nothing can change twice.
const UNCHANGING: [&str; 3] = ["AgreementTemplate", "SigningKey", "TrustedIdentity"];

#[test]
fn every_resource_has_a_name_and_an_etag() {
    let pool = pool();
    let resources: Vec<_> = messages(&pool)
        .into_iter()
        .filter(|message| option(&pool, &message.options(), "google.api.resource").is_some())
        .collect();
    assert!(
        resources.len() > 5,
        "only {} resources: was the contract read?",
        resources.len()
    );
    let wrong: Vec<_> = resources
        .iter()
        .filter(|message| {
            let may_change = !UNCHANGING.contains(&message.name());
            !has_field(message, "name", &Kind::String)
                || (may_change && !has_field(message, "etag", &Kind::String))
        })
        .map(|message| message.full_name().to_owned())
        .collect();
    assert_none(&wrong, "every resource has a name and an etag");
}

/// The document for tools that speak JSON is the one that follows from the contract.
#[test]
fn the_openapi_document_is_current() {
    let committed: serde_json::Value =
        serde_json::from_str(include_str!("../docs/openapi.json")).unwrap();
    let current = entente::server::json::openapi::document(entente::proto::pool());
    assert!(committed == current, "run `make openapi`");
}
