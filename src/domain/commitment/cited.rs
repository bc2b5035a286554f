//! Finds the commitments within any value, by its type and not by what its text looks like: a hash
//! is no commitment.

use std::fmt::Display;

use serde::ser::{self, Serialize, Serializer};

use super::Commitment;

/// The commitments that `value` cites, in the order in which they stand there; one may stand there
/// more than once.
#[must_use]
pub fn cited_by(value: &impl Serialize) -> Vec<Commitment> {
    let mut found = Vec::new();
    let mut finder = Finder {
        found: &mut found,
        within: false,
    };
    // Nothing that is looked through refuses to be; what was found until then counts.
    let _ = value.serialize(&mut finder);
    found
}

/// The name by which a commitment is told from other text.
const NAME: &str = "Commitment";

/// Looks through a value and writes nothing.
struct Finder<'found> {
    found: &'found mut Vec<Commitment>,
    /// Whether the next text is a commitment's.
    within: bool,
}

/// A value would not be looked through.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Fault(String);

impl ser::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

macro_rules! ignored {
    ($($method:ident($type:ty);)*) => {
        $(fn $method(self, _value: $type) -> Result<(), Fault> { Ok(()) })*
    };
}

impl Serializer for &mut Finder<'_> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    ignored! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_bytes(&[u8]);
        serialize_unit_struct(&'static str);
    }

    fn serialize_str(self, text: &str) -> Result<(), Fault> {
        if self.within {
            self.found.push(Commitment::from_text(text));
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Fault> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Fault> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
    ) -> Result<(), Fault> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        let outside = std::mem::replace(&mut self.within, name == NAME);
        let done = value.serialize(&mut *self);
        self.within = outside;
        done
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self, Fault> {
        Ok(self)
    }
}

macro_rules! looked_through {
    ($($part:ident::$method:ident($($key:ident)?);)*) => {
        $(impl ser::$part for &mut Finder<'_> {
            type Ok = ();
            type Error = Fault;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> Result<(), Fault> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), Fault> {
                Ok(())
            }
        })*
    };
}

looked_through! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(_key);
    SerializeStructVariant::serialize_field(_key);
}

impl ser::SerializeMap for &mut Finder<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Fault> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Serialize)]
    enum Anything {
        One(Commitment),
        Several {
            hash: String,
            all: Vec<Option<Commitment>>,
        },
        Pair(Commitment, u8),
    }

    fn sealed(text: &str) -> Commitment {
        Commitment::of("test", text, &[0; 16])
    }

    #[test]
    fn commitments_are_found_wherever_they_stand_and_hashes_are_not() {
        let value = BTreeMap::from([
            (1, Anything::One(sealed("a"))),
            (
                2,
                Anything::Several {
                    hash: sealed("b").as_str().to_owned(),
                    all: vec![Some(sealed("c")), None, Some(sealed("a"))],
                },
            ),
            (3, Anything::Pair(sealed("d"), 7)),
        ]);
        let expected = ["a", "c", "a", "d"].map(sealed);
        assert_eq!(cited_by(&value), expected);
    }

    #[test]
    fn a_commitment_is_written_as_its_text() {
        let written = serde_json::to_string(&sealed("a")).expect("it can be written");
        assert_eq!(written, format!("\"{}\"", sealed("a").as_str()));
        let read: Commitment = serde_json::from_str(&written).expect("it can be read");
        assert_eq!(read, sealed("a"));
    }
}
