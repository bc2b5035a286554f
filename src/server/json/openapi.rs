//! The contract as an OpenAPI 3.1 document, for tools that speak JSON.
//!
//! Made of the same descriptor and routes that the door itself works by, so it cannot say anything
//! else. What is documented in the contract is documented here in the same words.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind,
    MessageDescriptor, Value as FieldValue,
};
use serde_json::{Map, Value, json};

use super::route::{BodyPart, Route, Segment, Table};

/// Version of the specification that the document follows.
const OPENAPI: &str = "3.1.0";
/// Full name of the annotation that says how a field behaves.
const FIELD_BEHAVIOR: &str = "google.api.field_behavior";
/// Numbers of `google.api.FieldBehavior`.
const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;
/// How deep the fields of a query go: `recurrence.period` is two.
const QUERY_DEPTH_MAX: usize = 3;
/// Messages that JSON writes as a text, with the text's format and an example.
const TEXTS: [(&str, &str, &str); 3] = [
    (
        "google.protobuf.Timestamp",
        "date-time",
        "2026-03-02T08:00:00Z",
    ),
    ("google.protobuf.Duration", "duration", "3600s"),
    ("google.protobuf.FieldMask", "field-mask", "displayName"),
];

/// The document of all routes.
#[must_use]
pub fn document(pool: &DescriptorPool) -> Value {
    let table = Table::new(pool);
    let mut writer = Writer {
        comments: Comments::of(pool),
        pool,
        table: &table,
        schemas: BTreeMap::new(),
        wanted: vec!["google.rpc.Status".to_owned()],
    };
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in table.routes() {
        let (path, operation) = writer.operation(route);
        let method = route.http_method.as_str().to_lowercase();
        paths.entry(path).or_default().insert(method, operation);
    }
    writer.write_schemas();
    let tags: BTreeSet<&str> = table.routes().iter().map(tag).collect();
    let tags: Vec<Value> = tags.into_iter().map(|tag| writer.tag(tag)).collect();
    json!({
        "openapi": OPENAPI,
        "info": {
            "title": "Entente",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Keeps the promises between IT firms that sell and support together. \
                Every unary RPC of the gRPC contract, as JSON on the same port.",
        },
        "security": [{"key": []}],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "responses": {"Error": {
                "description": "The call was refused, and nothing was changed.",
                "content": {"application/json": {"schema": error_schema()}},
            }},
            "schemas": writer.schemas,
        },
    })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "properties": {"error": {
            "type": "object",
            "properties": {
                "code": {"type": "integer", "description": "The HTTP status code."},
                "status": {"type": "string", "description": "The canonical code by its name."},
                "message": {"type": "string", "description": "What was wrong, for a person."},
                "details": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"@type": {"type": "string"}}},
                    "description": "The reason (google.rpc.ErrorInfo), each field at fault \
                        (google.rpc.BadRequest), and when to retry (google.rpc.RetryInfo).",
                },
            },
        }},
    })
}

/// What the contract's files say of their elements.
struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    fn of(pool: &DescriptorPool) -> Self {
        let mut found = HashMap::new();
        for file in pool.files() {
            let proto = file.file_descriptor_proto();
            let locations = proto
                .source_code_info
                .iter()
                .flat_map(|info| &info.location);
            for location in locations {
                let text = location.leading_comments();
                if !text.is_empty() {
                    let key = (file.name().to_owned(), location.path.clone());
                    found.insert(key, paragraph(text));
                }
            }
        }
        Self(found)
    }

    fn get(&self, file: &str, path: &[i32]) -> String {
        let key = (file.to_owned(), path.to_vec());
        self.0.get(&key).cloned().unwrap_or_default()
    }
}

/// Lines that belong together as one; an empty line stays.
fn paragraph(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let lines: Vec<&str> = paragraph.lines().map(str::trim).collect();
        lines.join(" ").trim().to_owned()
    });
    let paragraphs: Vec<String> = paragraphs.filter(|text| !text.is_empty()).collect();
    paragraphs.join("\n\n")
}

struct Writer<'a> {
    comments: Comments,
    pool: &'a DescriptorPool,
    table: &'a Table,
    schemas: BTreeMap<String, Value>,
    wanted: Vec<String>,
}

fn tag(route: &Route) -> &str {
    let path = route.grpc_path.path().trim_start_matches('/');
    path.split('/').next().unwrap_or_default()
}

impl Writer<'_> {
    fn tag(&self, full_name: &str) -> Value {
        let service = self.pool.get_service_by_name(full_name);
        let description = service.map(|service| {
            self.comments
                .get(service.parent_file().name(), service.path())
        });
        let name = full_name.rsplit('.').next().unwrap_or_default();
        json!({"name": name, "description": description.unwrap_or_default()})
    }

    /// A route's path as OpenAPI writes it, and what can be done there.
    fn operation(&mut self, route: &Route) -> (String, Value) {
        let method = &route.method;
        let (path, names) = flat_path(route);
        let mut parameters: Vec<Value> = names
            .iter()
            .map(|name| {
                json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
            })
            .collect();
        let in_path = |path: &str| {
            let mut variables = route.template.variables.iter();
            variables.any(|variable| variable.field == path)
        };
        if route.body != BodyPart::Whole {
            let body = match &route.body {
                BodyPart::Field(name) => name.as_str(),
                _ => "",
            };
            for field in method.input().fields() {
                if field.name() != body {
                    self.query(&field, "", 1, &in_path, &mut parameters);
                }
            }
        }
        let comment = self
            .comments
            .get(method.parent_service().parent_file().name(), method.path());
        let summary = comment.split(". ").next().unwrap_or_default();
        let service = tag(route).rsplit('.').next().unwrap_or_default().to_owned();
        let mut operation = json!({
            "operationId": self.operation_id(route, &service),
            "tags": [service],
            "summary": summary.trim_end_matches('.'),
            "description": comment,
            "responses": {
                "200": {
                    "description": "It was done.",
                    "content": {"application/json": {"schema": self.reference(&method.output())}},
                },
                "default": {"$ref": "#/components/responses/Error"},
            },
        });
        if !parameters.is_empty() {
            operation["parameters"] = Value::Array(parameters);
        }
        if let Some(schema) = self.body(route) {
            operation["requestBody"] =
                json!({"required": true, "content": {"application/json": {"schema": schema}}});
        }
        (path, operation)
    }

    /// Unique also where an RPC has several paths: the later ones say under what they are.
    fn operation_id(&self, route: &Route, service: &str) -> String {
        let routes = self.table.routes().iter();
        let mut same = routes.filter(|other| other.method == route.method);
        let id = format!("{service}_{}", route.method.name());
        if same
            .next()
            .is_some_and(|first| first.pattern == route.pattern)
        {
            return id;
        }
        let (_, names) = flat_path(route);
        let under: Vec<String> = names.iter().map(|name| capitalised(name)).collect();
        format!("{id}Of{}", under.join(""))
    }

    fn body(&mut self, route: &Route) -> Option<Value> {
        let input = route.method.input();
        match &route.body {
            BodyPart::Nothing => None,
            BodyPart::Whole => {
                if !route.template.variables.is_empty() {
                    return Some(self.message_beside_path(route));
                }
                Some(self.reference(&input))
            }
            BodyPart::Field(name) => {
                let field = input.get_field_by_name(name)?;
                Some(self.schema(&field))
            }
        }
    }

    /// The parameters by which a query sets a field.
    fn query(
        &mut self,
        field: &FieldDescriptor,
        prefix: &str,
        depth: usize,
        in_path: &dyn Fn(&str) -> bool,
        parameters: &mut Vec<Value>,
    ) {
        let path = format!("{prefix}{}", field.name());
        if in_path(&path) {
            return;
        }
        if let Kind::Message(inner) = field.kind()
            && !field.is_list()
            && !is_text(&inner)
        {
            if depth < QUERY_DEPTH_MAX {
                for field in inner.fields() {
                    let prefix = format!("{path}.");
                    self.query(&field, &prefix, depth + 1, in_path, parameters);
                }
            }
            return;
        }
        let mut parameter = json!({
            "name": path,
            "in": "query",
            "description": self.comment(field),
            "schema": self.schema(field),
        });
        if behaves(field, REQUIRED) && depth == 1 {
            parameter["required"] = Value::Bool(true);
        }
        parameters.push(parameter);
    }

    fn comment(&self, field: &FieldDescriptor) -> String {
        self.comments
            .get(field.parent_message().parent_file().name(), field.path())
    }

    fn reference(&mut self, message: &MessageDescriptor) -> Value {
        self.wanted.push(message.full_name().to_owned());
        json!({"$ref": format!("#/components/schemas/{}", message.full_name())})
    }

    fn schema(&mut self, field: &FieldDescriptor) -> Value {
        let one = self.kind(&field.kind());
        if field.cardinality() == Cardinality::Repeated {
            return json!({"type": "array", "items": one});
        }
        one
    }

    fn kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Bool => json!({"type": "boolean"}),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Double | Kind::Float => json!({"type": "number"}),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                json!({"type": "string", "format": "int64"})
            }
            Kind::Uint64 | Kind::Fixed64 => json!({"type": "string", "format": "uint64"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                json!({"type": "integer", "format": "int32"})
            }
            Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "format": "uint32"}),
            Kind::Enum(values) => self.enumeration(values),
            Kind::Message(message) => {
                text_schema(message).unwrap_or_else(|| self.reference(message))
            }
        }
    }

    fn enumeration(&mut self, values: &EnumDescriptor) -> Value {
        let name = values.full_name().to_owned();
        if !self.schemas.contains_key(&name) {
            let file = values.parent_file();
            let names: Vec<String> = values
                .values()
                .map(|value| value.name().to_owned())
                .collect();
            let mut description = self.comments.get(file.name(), values.path());
            for value in values.values() {
                let comment = self.comments.get(file.name(), value.path());
                if !comment.is_empty() {
                    description = format!("{description}\n\n- `{}`: {comment}", value.name());
                }
            }
            let schema = json!({"type": "string", "enum": names, "description": description});
            self.schemas.insert(name.clone(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// Writes every message that something refers to, and what these refer to.
    fn write_schemas(&mut self) {
        while let Some(name) = self.wanted.pop() {
            if self.schemas.contains_key(&name) {
                continue;
            }
            let Some(message) = self.pool.get_message_by_name(&name) else {
                continue;
            };
            let schema = self.message(&message);
            self.schemas.insert(name, schema);
        }
    }

    /// A request's message without what its path says.
    fn message_beside_path(&mut self, route: &Route) -> Value {
        let mut schema = self.message(&route.method.input());
        for variable in &route.template.variables {
            if let Some(fields) = schema["properties"].as_object_mut() {
                fields.remove(&variable.field);
            }
            if let Some(required) = schema["required"].as_array_mut() {
                required.retain(|name| *name != variable.field);
            }
        }
        schema
    }

    fn message(&mut self, message: &MessageDescriptor) -> Value {
        let description = self
            .comments
            .get(message.parent_file().name(), message.path());
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields() {
            let mut schema = self.schema(&field);
            let comment = self.comment(&field);
            if !comment.is_empty() {
                schema["description"] = Value::String(comment);
            }
            if behaves(&field, OUTPUT_ONLY) {
                schema["readOnly"] = Value::Bool(true);
            }
            if behaves(&field, REQUIRED) {
                required.push(field.json_name().to_owned());
            }
            properties.insert(field.json_name().to_owned(), schema);
        }
        let mut schema =
            json!({"type": "object", "description": description, "properties": properties});
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }
}

fn text_schema(message: &MessageDescriptor) -> Option<Value> {
    let (_, format, example) = TEXTS
        .iter()
        .find(|(name, _, _)| *name == message.full_name())?;
    Some(json!({"type": "string", "format": format, "examples": [example]}))
}

fn is_text(message: &MessageDescriptor) -> bool {
    text_schema(message).is_some()
}

/// Whether the contract says that of a field.
fn behaves(field: &FieldDescriptor, behavior: i32) -> bool {
    let pool = field.parent_pool();
    let Some(annotation) = pool.get_extension_by_name(FIELD_BEHAVIOR) else {
        return false;
    };
    let options: DynamicMessage = field.options();
    let values = options.get_extension(&annotation);
    let values = values.as_list().unwrap_or_default();
    values.iter().any(|value| {
        value.as_enum_number() == Some(behavior) || *value == FieldValue::I32(behavior)
    })
}

/// A path with a name for each part that is none: `partnerships/{partnership}/tickets/{ticket}`.
fn flat_path(route: &Route) -> (String, Vec<String>) {
    let mut names = Vec::new();
    let mut path = String::new();
    let mut before = "";
    for segment in &route.template.segments {
        path.push('/');
        match segment {
            Segment::Literal(literal) => {
                path.push_str(literal);
                before = literal;
            }
            Segment::Any => {
                let name = singular(before);
                path.extend(["{", &name, "}"]);
                names.push(name);
            }
        }
    }
    if !route.template.verb.is_empty() {
        path.push(':');
        path.push_str(&route.template.verb);
    }
    (path, names)
}

/// One of a collection: `outsideParties` has `outsideParty`.
fn singular(collection: &str) -> String {
    collection.strip_suffix("ies").map_or_else(
        || {
            collection
                .strip_suffix('s')
                .unwrap_or(collection)
                .to_owned()
        },
        |stem| format!("{stem}y"),
    )
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto;

    #[test]
    fn names_and_ids_are_unique_and_references_lead_somewhere() {
        let document = document(proto::pool());
        let text = document.to_string();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
        let mut ids = BTreeSet::new();
        let mut operations = 0;
        for path in document["paths"].as_object().unwrap().values() {
            for operation in path.as_object().unwrap().values() {
                operations += 1;
                assert!(
                    ids.insert(operation["operationId"].as_str().unwrap()),
                    "{operation}"
                );
                assert_ne!(operation["description"], "", "{operation}");
            }
        }
        assert_eq!(operations, Table::new(proto::pool()).routes().len());
        assert!(operations > 170);
    }

    #[test]
    fn a_collection_has_one_of_it() {
        for (many, one) in [
            ("partnerships", "partnership"),
            ("outsideParties", "outsideParty"),
            ("apiKeys", "apiKey"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
