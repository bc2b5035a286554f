//! The calls of the deliverer.

use super::{Call, CallResult, Scalar, catalogue, count};
use crate::domain::identity::ScopeId;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::deliveries::{After, DeadLetterRow, DeliveryRow, SubscriptionRow};

impl<'a> Call<'a> {
    fn counted(self, number: u64) -> CallResult<'a> {
        Ok(self.integer(count(number)?))
    }

    fn time(self, time: Timestamp) -> Self {
        self.integer(time.as_micros())
    }

    fn optional_time(mut self, time: Option<Timestamp>) -> Self {
        let time = time.map(Timestamp::as_micros);
        self.scalars.push(Scalar::OptionalInteger(time));
        self
    }

    fn all<const N: usize>(self, texts: [&'a str; N]) -> CallResult<'a> {
        texts.into_iter().try_fold(self, Call::text)
    }
}

pub(in crate::store) fn put_subscriptions(rows: &[SubscriptionRow]) -> CallResult<'_> {
    Call::new(&catalogue::SUBSCRIPTION_PUT, rows.len())
        .texts(rows.iter().map(|row| row.scope.as_str()))?
        .texts(rows.iter().map(|row| row.id.as_str()))?
        .texts(rows.iter().map(|row| row.state.as_str()))
}

pub(in crate::store) fn list_subscriptions(after: After<'_, 2>, limit: usize) -> CallResult<'_> {
    let call = Call::new(&catalogue::SUBSCRIPTION_LIST, 0).all(after)?;
    Ok(call.limit(limit))
}

pub(in crate::store) fn create(row: &DeliveryRow) -> CallResult<'_> {
    Ok(keyed(&catalogue::DELIVERY_CREATE, row)?
        .counted(row.sequence)?
        .time(row.due_at))
}

pub(in crate::store) fn put(row: &DeliveryRow) -> CallResult<'_> {
    keyed(&catalogue::DELIVERY_PUT, row)?
        .counted(row.sequence)?
        .counted(row.attempts.into())?
        .time(row.due_at)
        .optional_time(row.failing_since)
        .text(&row.last_error)?
        .counted(row.version)
}

fn keyed<'a>(statement: &'static catalogue::Statement, row: &'a DeliveryRow) -> CallResult<'a> {
    let (scope, source) = (row.scope.as_str(), row.source.as_str());
    Call::new(statement, 0).all([scope, &row.subscription, source])
}

pub(in crate::store) fn list(after: After<'_, 3>, limit: usize) -> CallResult<'_> {
    let call = Call::new(&catalogue::DELIVERY_LIST, 0).all(after)?;
    Ok(call.limit(limit))
}

pub(in crate::store) fn put_dead_letter(row: &DeadLetterRow) -> CallResult<'_> {
    letter(&catalogue::DEAD_LETTER_PUT, row)?
        .counted(row.attempts.into())?
        .text(&row.last_error)?
        .time(row.failed_at)
        .optional_time(row.due_at)
        .counted(row.version)
}

fn letter<'a>(statement: &'static catalogue::Statement, row: &'a DeadLetterRow) -> CallResult<'a> {
    let (scope, source) = (row.scope.as_str(), row.source.as_str());
    Call::new(statement, 0)
        .all([scope, &row.subscription, source])?
        .counted(row.sequence)
}

pub(in crate::store) fn list_dead_letters<'a>(
    scope: &'a ScopeId,
    subscription: &'a str,
    (source, sequence): (&'a str, u64),
    limit: usize,
) -> CallResult<'a> {
    let call = Call::new(&catalogue::DEAD_LETTER_LIST, 0);
    let call = call.all([scope.as_str(), subscription, source])?;
    Ok(call.after(sequence).limit(limit))
}

pub(in crate::store) fn list_due_dead_letters<'a>(now: Timestamp, limit: usize) -> Call<'a> {
    Call::new(&catalogue::DEAD_LETTER_LIST_DUE, 0)
        .time(now)
        .limit(limit)
}

pub(in crate::store) fn delete_dead_letter(row: &DeadLetterRow) -> Result<Call<'_>, StoreError> {
    letter(&catalogue::DEAD_LETTER_DELETE, row)
}
