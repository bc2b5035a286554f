//! Which path means which RPC: the `google.api.http` annotations of the contract.

use http::{Method, Uri};
use percent_encoding::percent_decode_str;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};

/// Full name of the annotation.
const ANNOTATION: &str = "google.api.http";
/// HTTP methods as the annotation names its fields.
const METHODS: [(&str, Method); 5] = [
    ("get", Method::GET),
    ("post", Method::POST),
    ("put", Method::PUT),
    ("patch", Method::PATCH),
    ("delete", Method::DELETE),
];

/// What of a request's message is its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyPart {
    /// Nothing: all fields are in path and query.
    Nothing,
    /// The whole message, less what the path says.
    Whole,
    /// One field; the others are in path and query.
    Field(String),
}

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This very text.
    Literal(String),
    /// Any text, but not empty.
    Any,
}

/// A part of the path that is a field's value, such as `{name=partnerships/*}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Path of the field, its names joined by dots.
    pub field: String,
    /// Its first segment.
    pub first: usize,
    /// The segment after its last.
    pub end: usize,
}

/// The pattern of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The segments, without the slashes between them.
    pub segments: Vec<Segment>,
    /// Which of them are values.
    pub variables: Vec<Variable>,
    /// What comes after the last colon; empty for none.
    pub verb: String,
}

impl Template {
    /// Reads a pattern of the kind that the contract uses: literals, `{field=pattern}` and a verb.
    #[must_use]
    pub fn parse(pattern: &str) -> Self {
        let (path, verb) = split_verb(pattern);
        let mut template = Self {
            segments: Vec::new(),
            variables: Vec::new(),
            verb: verb.to_owned(),
        };
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            template.add_segments(before);
            let (inside, after) = after.split_once('}').unwrap_or((after, ""));
            let (field, value) = inside.split_once('=').unwrap_or((inside, "*"));
            let first = template.segments.len();
            template.add_segments(value);
            template.variables.push(Variable {
                field: field.to_owned(),
                first,
                end: template.segments.len(),
            });
            rest = after;
        }
        template.add_segments(rest);
        template
    }

    fn add_segments(&mut self, path: &str) {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        self.segments.extend(segments.map(|segment| match segment {
            "*" => Segment::Any,
            literal => Segment::Literal(literal.to_owned()),
        }));
    }

    /// The values of the variables, if the path is one of these.
    #[must_use]
    pub fn values(&self, path: &str) -> Option<Vec<String>> {
        let path = path.strip_prefix('/')?;
        let path = match self.verb.as_str() {
            "" => path,
            verb => path.strip_suffix(verb)?.strip_suffix(':')?,
        };
        let parts: Vec<&str> = path.split('/').collect();
        if parts.len() != self.segments.len() {
            return None;
        }
        let fits = self.segments.iter().zip(&parts).all(|(segment, part)| {
            match segment {
                Segment::Literal(literal) => literal == part,
                // A verb is never part of an id.
                Segment::Any => !part.is_empty() && !part.contains(':'),
            }
        });
        if !fits {
            return None;
        }
        let variables = self.variables.iter();
        variables
            .map(|variable| decoded(parts.get(variable.first..variable.end)?))
            .collect()
    }
}

/// Segments as one value. A slash that was written as `%2F` would make a name of a text that is
/// none, so such a path is nobody's.
fn decoded(parts: &[&str]) -> Option<String> {
    let parts: Option<Vec<String>> = parts
        .iter()
        .map(|part| {
            let text = percent_decode_str(part).decode_utf8().ok()?;
            (!text.contains('/')).then(|| text.into_owned())
        })
        .collect();
    Some(parts?.join("/"))
}

/// The colon of a verb stands behind the last brace and the last slash.
fn split_verb(pattern: &str) -> (&str, &str) {
    let behind = pattern.rfind(['}', '/']).unwrap_or_default();
    pattern
        .get(behind..)
        .and_then(|end| end.find(':'))
        .map_or((pattern, ""), |colon| {
            let (path, verb) = pattern.split_at(behind + colon);
            (path, verb.trim_start_matches(':'))
        })
}

/// One way to call an RPC.
#[derive(Clone, Debug)]
pub struct Route {
    /// The HTTP method.
    pub http_method: Method,
    /// The pattern as the contract writes it.
    pub pattern: String,
    /// The pattern of its path.
    pub template: Template,
    /// What its body is.
    pub body: BodyPart,
    /// The RPC.
    pub method: MethodDescriptor,
    /// Where gRPC calls it.
    pub grpc_path: Uri,
}

impl Route {
    /// Whether a body is expected.
    #[must_use]
    pub fn takes_body(&self) -> bool {
        self.body != BodyPart::Nothing
    }
}

/// What is known of a path.
#[derive(Debug)]
pub enum Found<'a> {
    /// It is no path of the contract.
    Nothing,
    /// It is one, but with these HTTP methods.
    Methods(Vec<&'a Method>),
    /// This RPC, with the values of the route's variables in their order.
    Route(&'a Route, Vec<String>),
}

/// All routes.
#[derive(Debug)]
pub struct Table(Vec<Route>);

impl Table {
    /// The routes of every unary RPC of the pool, in the order of the contract.
    #[must_use]
    pub fn new(pool: &DescriptorPool) -> Self {
        let methods = pool.services().flat_map(|service| {
            let methods: Vec<MethodDescriptor> = service.methods().collect();
            methods
        });
        let unary =
            methods.filter(|method| !method.is_server_streaming() && !method.is_client_streaming());
        Self(unary.flat_map(|method| routes(pool, &method)).collect())
    }

    /// The routes.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.0
    }

    /// What `path` means.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let mut others = Vec::new();
        for route in &self.0 {
            let Some(values) = route.template.values(path) else {
                continue;
            };
            if route.http_method == *method {
                return Found::Route(route, values);
            }
            others.push(&route.http_method);
        }
        if others.is_empty() {
            return Found::Nothing;
        }
        others.dedup();
        Found::Methods(others)
    }
}

fn routes(pool: &DescriptorPool, method: &MethodDescriptor) -> Vec<Route> {
    let Some(annotation) = pool.get_extension_by_name(ANNOTATION) else {
        return Vec::new();
    };
    let options = method.options();
    let rule = options.get_extension(&annotation);
    let Some(rule) = rule.as_message() else {
        return Vec::new();
    };
    let more = rule.get_field_by_name("additional_bindings");
    let more = more.as_deref().and_then(Value::as_list).unwrap_or_default();
    let more = more.iter().filter_map(Value::as_message);
    std::iter::once(rule)
        .chain(more)
        .filter_map(|rule| route(rule, method))
        .collect()
}

fn route(rule: &DynamicMessage, method: &MethodDescriptor) -> Option<Route> {
    let text = |name: &str| {
        let value = rule.get_field_by_name(name)?;
        let text = value.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    let (http_method, pattern) = METHODS
        .iter()
        .find_map(|(name, http_method)| Some((http_method.clone(), text(name)?)))?;
    let body = match text("body") {
        None => BodyPart::Nothing,
        Some(whole) if whole == "*" => BodyPart::Whole,
        Some(field) => BodyPart::Field(field),
    };
    let service = method.parent_service().full_name().to_owned();
    Some(Route {
        http_method,
        template: Template::parse(&pattern),
        pattern,
        body,
        method: method.clone(),
        grpc_path: Uri::try_from(format!("/{service}/{}", method.name())).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto;

    fn table() -> Table {
        Table::new(proto::pool())
    }

    #[test]
    fn a_pattern_comes_apart() {
        let template = Template::parse("/v1/{parent=partnerships/*/tickets/*}/updates:count");
        assert_eq!(template.segments.len(), 6);
        assert_eq!(template.verb, "count");
        let values = |path| template.values(path);
        assert_eq!(
            values("/v1/partnerships/p/tickets/t/updates:count"),
            Some(vec!["partnerships/p/tickets/t".to_owned()])
        );
        for other in [
            "/v1/partnerships/p/tickets/t/updates",
            "/v1/partnerships/p/tickets//updates:count",
            "/v1/partnerships/p/tickets/t/updates/x:count",
            "/v1/partnerships/p/tickets/a%2Fb/updates:count",
            "/v1/partnerships/p/tickets/%ff/updates:count",
            "v1/partnerships/p/tickets/t/updates:count",
            "",
        ] {
            assert_eq!(values(other), None, "{other}");
        }
    }

    #[test]
    fn percent_signs_are_decoded() {
        let template = Template::parse("/v1/{name=firms/*}");
        assert_eq!(
            template.values("/v1/firms/a%20b"),
            Some(vec!["firms/a b".to_owned()])
        );
    }

    #[test]
    fn every_unary_method_has_a_route_and_no_two_share_one() {
        let pool = proto::pool();
        let table = table();
        let ours = pool
            .services()
            .filter(|service| service.package_name() == "entente.v1");
        for service in ours {
            for method in service.methods() {
                let routed = table.routes().iter().any(|route| route.method == method);
                assert_eq!(routed, !method.is_server_streaming(), "{method:?}");
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        for route in table.routes() {
            let shape = format!(
                "{} {:?} {}",
                route.http_method, route.template.segments, route.template.verb
            );
            assert!(seen.insert(shape), "{}", route.pattern);
        }
    }

    #[test]
    fn a_path_is_found_by_its_method_only() {
        let table = table();
        let found = table.find(&Method::GET, "/v1/partnerships/p/tickets/t");
        let Found::Route(route, values) = found else {
            panic!("{found:?}")
        };
        assert_eq!(route.method.name(), "GetTicket");
        assert_eq!(route.grpc_path, "/entente.v1.SlaService/GetTicket");
        assert_eq!(values, ["partnerships/p/tickets/t"]);
        let other = table.find(&Method::DELETE, "/v1/partnerships/p/tickets/t");
        assert!(matches!(other, Found::Methods(methods) if methods == [Method::GET]));
        assert!(matches!(
            table.find(&Method::GET, "/v1/nothing"),
            Found::Nothing
        ));
    }
}
