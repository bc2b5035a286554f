//! Reading, dividing and telling.
