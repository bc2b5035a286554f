//! Why a command is refused: a typed reason, the fields at fault, and what a caller needs to act.

/// Declares the reasons once, with the text that the contract uses for each.
macro_rules! reasons {
    ($($(#[$meta:meta])* $variant:ident = $text:literal;)*) => {
        /// Why something was refused. The contract's `ErrorReason` has the same list, with an
        /// example for each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$meta])* $variant,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The reason as the contract spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

reasons! {
    /// One or more fields are not acceptable; each is listed.
    InvalidField = "INVALID_FIELD";
    /// No credential, or one that is not valid.
    Unauthenticated = "UNAUTHENTICATED";
    /// The credential lacks a permission within its own firm.
    PermissionMissing = "PERMISSION_MISSING";
    /// No such thing, or none that the caller may know of.
    NotFound = "NOT_FOUND";
    /// The identifier or external reference is taken.
    AlreadyExists = "ALREADY_EXISTS";
    /// The record changed since the caller read it.
    EtagMismatch = "ETAG_MISMATCH";
    /// The request id was used for another request.
    RequestIdReused = "REQUEST_ID_REUSED";
    /// The event id was used for another event.
    EventIdReused = "EVENT_ID_REUSED";
    /// The record's state does not allow the action.
    InvalidState = "INVALID_STATE";
    /// An offer is for the other firm to answer, not for the one that made it.
    NotYourOffer = "NOT_YOUR_OFFER";
    /// The offer's time is over: silence is no consent.
    OfferExpired = "OFFER_EXPIRED";
    /// The deadline cannot be met, and not everybody has said that they know.
    DeadlineImpossible = "DEADLINE_IMPOSSIBLE";
    /// A notice is changed by the party that gave it.
    NotYourNotice = "NOT_YOUR_NOTICE";
    /// A time was to be told on behalf of a party that did not give it.
    TimeNotGiven = "TIME_NOT_GIVEN";
    /// A time was to be told to the client that its source did not allow to be told.
    TimeNotDisclosable = "TIME_NOT_DISCLOSABLE";
    /// A time was to be told that its source has replaced or taken back.
    TimeSuperseded = "TIME_SUPERSEDED";
    /// Work is accepted, and a claim judged, by the other firm, not by the one whose it is.
    SameFirmMayNotAccept = "SAME_FIRM_MAY_NOT_ACCEPT";
    /// What somebody was to do is said to be done by that party.
    NotTheOwner = "NOT_THE_OWNER";
    /// The partnership has ended.
    PartnershipEnded = "PARTNERSHIP_ENDED";
    /// The invitation code is wrong, used or expired.
    InvitationInvalid = "INVITATION_INVALID";
    /// The guest link was used.
    GuestLinkUsed = "GUEST_LINK_USED";
    /// The guest link's time is over.
    GuestLinkExpired = "GUEST_LINK_EXPIRED";
    /// The guest link was taken back, or a firm joined in the place that its guest stood in.
    GuestLinkRevoked = "GUEST_LINK_REVOKED";
    /// What the guest link asks about has moved on.
    GuestLinkOutdated = "GUEST_LINK_OUTDATED";
    /// The link to a check-up is good no more.
    CheckupLinkExpired = "CHECKUP_LINK_EXPIRED";
    /// The link to a check-up is for another partnership.
    CheckupLinkForAnotherPartnership = "CHECKUP_LINK_FOR_ANOTHER_PARTNERSHIP";
    /// The invitation was made for another firm.
    InvitationForAnotherFirm = "INVITATION_FOR_ANOTHER_FIRM";
    /// The firm left the partnership.
    PartyLeft = "PARTY_LEFT";
    /// The firm is a party already.
    AlreadyAParty = "ALREADY_A_PARTY";
    /// The page token is not one of ours, or of another list.
    PageTokenInvalid = "PAGE_TOKEN_INVALID";
    /// The cursor is not one of ours.
    CursorInvalid = "CURSOR_INVALID";
    /// The journal no longer has the entry that the cursor saw.
    JournalDiverged = "JOURNAL_DIVERGED";
    /// No such time zone.
    ZoneUnknown = "ZONE_UNKNOWN";
    /// The calendar has no open moment.
    CalendarNeverOpens = "CALENDAR_NEVER_OPENS";
    /// The calendar cannot hold the target.
    TargetUnreachable = "TARGET_UNREACHABLE";
    /// An amount is finer than the currency's minor unit.
    MoneyTooFine = "MONEY_TOO_FINE";
    /// No such currency.
    CurrencyUnknown = "CURRENCY_UNKNOWN";
    /// Amounts of different currencies.
    CurrencyMismatch = "CURRENCY_MISMATCH";
    /// A number or time beyond what is supported.
    OutOfRange = "OUT_OF_RANGE";
    /// The event is dated later than the terms tolerate.
    EventFromTheFuture = "EVENT_FROM_THE_FUTURE";
    /// Several agreements are active and none was named.
    AgreementAmbiguous = "AGREEMENT_AMBIGUOUS";
    /// The agreement named, or any at all, is not active.
    AgreementNotActive = "AGREEMENT_NOT_ACTIVE";
    /// The external reference fits several records.
    ReferenceAmbiguous = "REFERENCE_AMBIGUOUS";
    /// The weights do not add up, overflow or are all zero.
    WeightsInvalid = "WEIGHTS_INVALID";
    /// The concession is larger than what it is taken from.
    ConcessionTooLarge = "CONCESSION_TOO_LARGE";
    /// The floors leave something over that nobody bears.
    ConcessionShortfall = "CONCESSION_SHORTFALL";
    /// A clause of the terms is broken; each is named.
    ClauseViolated = "CLAUSE_VIOLATED";
    /// The fractions that a proposal was divided with have changed since.
    StaleFractions = "STALE_FRACTIONS";
    /// The markups on a portion are more than its cap.
    MarkupCapExceeded = "MARKUP_CAP_EXCEEDED";
    /// A cost is in another currency, and no rate was given.
    ExchangeRateMissing = "EXCHANGE_RATE_MISSING";
    /// Nothing of the quote belongs to the caller's party.
    NotAPortionOwner = "NOT_A_PORTION_OWNER";
    /// More was to be taken back than is left.
    ReversalTooLarge = "REVERSAL_TOO_LARGE";
    /// The promise was not broken, so there is nothing to credit.
    CreditNotDue = "CREDIT_NOT_DUE";
    /// None of the firms held any of the time that counts.
    NobodyHeldTime = "NOBODY_HELD_TIME";
    /// What some portions bear is known to their owners alone.
    SharesSealed = "SHARES_SEALED";
    /// The period is booked already.
    AlreadyBooked = "ALREADY_BOOKED";
    /// A settlement statement is answered by the two parties that it is of, each in its turn.
    NotYourStatement = "NOT_YOUR_STATEMENT";
    /// The party has given its answer to the survey.
    SurveyAlreadyAnswered = "SURVEY_ALREADY_ANSWERED";
    /// What parties do with each other is answered by those whom it is for.
    NotYoursToAnswer = "NOT_YOURS_TO_ANSWER";
    /// A text looks like a secret, which is not to be written down.
    LooksLikeSecret = "LOOKS_LIKE_SECRET";
    /// What is held, and a request for it, are for others to answer.
    NotYourCustody = "NOT_YOUR_CUSTODY";
    /// What is approved is not what stands proposed.
    StaleHash = "STALE_HASH";
    /// A signature is not one over the documented message by the key named.
    SignatureInvalid = "SIGNATURE_INVALID";
    /// The key was revoked, and signs nothing new.
    SigningKeyRevoked = "SIGNING_KEY_REVOKED";
    /// Dividing by costs would tell one party what another one's cost it, who did not consent to that.
    CostWouldBeDisclosed = "COST_WOULD_BE_DISCLOSED";
    /// A cost that is needed was erased.
    CostErased = "COST_ERASED";
    /// What was evaluated is not what would be proposed now.
    StaleEvaluation = "STALE_EVALUATION";
    /// A documented maximum is reached.
    LimitReached = "LIMIT_REACHED";
    /// Too much waits already.
    QueueFull = "QUEUE_FULL";
    /// Too much of this firm waits already.
    FirmQuotaExceeded = "FIRM_QUOTA_EXCEEDED";
    /// The firm calls more often than it may.
    QuotaExceeded = "QUOTA_EXCEEDED";
    /// The keys of a token's issuer cannot be had.
    IdentityProviderUnavailable = "IDENTITY_PROVIDER_UNAVAILABLE";
    /// The caller's deadline passed before work began.
    DeadlineExceeded = "DEADLINE_EXCEEDED";
    /// The database does not answer; whether the change was made is found by retrying.
    StoreUnavailable = "STORE_UNAVAILABLE";
    /// Our fault.
    Internal = "INTERNAL";
    /// An end lies before its beginning.
    TimesOutOfOrder = "TIMES_OUT_OF_ORDER";
    /// The answer would be larger than the documented maximum.
    ResultTooLarge = "RESULT_TOO_LARGE";
    /// The ticket was merged into another one.
    TicketMerged = "TICKET_MERGED";
    /// The server is shutting down.
    ServiceStopping = "SERVICE_STOPPING";
    /// A firm's own calendar was named where one of the partnership is needed.
    CalendarNotAdopted = "CALENDAR_NOT_ADOPTED";
    /// The record was written by hand, or adopted from elsewhere.
    AdoptionConflict = "ADOPTION_CONFLICT";
    /// A calendar that is made of others is not adopted as a whole.
    CombinationNotAdoptable = "COMBINATION_NOT_ADOPTABLE";
}

/// A field at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the request, such as `agreement.targets[2].duration`.
    pub field: String,
    /// What is wrong with it, for a person.
    pub description: String,
}

/// A refusal: nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The typed reason.
    pub reason: Reason,
    /// For a person; every variable part is in `metadata` too.
    pub message: String,
    /// Every field at fault.
    pub violations: Vec<Violation>,
    /// Machine-readable parts, by name.
    pub metadata: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal with a message and no further detail.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            violations: Vec::new(),
            metadata: Vec::new(),
        }
    }

    /// Adds a machine-readable part.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl std::fmt::Display) -> Self {
        self.metadata.push((key, value.to_string()));
        self
    }

    /// A refusal for a single field.
    #[must_use]
    pub fn field(reason: Reason, field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::fields(
            reason,
            vec![Violation {
                field: field.into(),
                description: description.into(),
            }],
        )
    }

    /// A refusal that lists every field at fault.
    #[must_use]
    pub fn fields(reason: Reason, violations: Vec<Violation>) -> Self {
        let message = violations
            .iter()
            .map(|violation| format!("{}: {}", violation.field, violation.description))
            .collect::<Vec<_>>()
            .join("; ");
        Self {
            reason,
            message,
            violations,
            metadata: Vec::new(),
        }
    }

    /// Nothing if there are no `refusals`, otherwise all of them in one: with their reason if they
    /// share one, otherwise with [`Reason::InvalidField`].
    ///
    /// # Errors
    /// That refusal.
    pub fn all(mut refusals: Vec<Self>) -> Result<(), Self> {
        if refusals.len() <= 1 {
            return refusals.pop().map_or(Ok(()), Err);
        }
        let first = refusals[0].reason;
        let shared = refusals.iter().all(|refusal| refusal.reason == first);
        let reason = if shared { first } else { Reason::InvalidField };
        let mut violations = Violations::default();
        for refusal in refusals {
            violations.take_all(refusal);
        }
        Err(Self::fields(reason, violations.0))
    }

    /// No such thing, or none that the caller may know of.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Reason::NotFound, format!("{what} not found")).with("resource", what)
    }

    /// The record's state does not allow the action.
    #[must_use]
    pub fn invalid_state(state: &str, action: &str) -> Self {
        Self::new(
            Reason::InvalidState,
            format!("a record in state {state} does not allow {action}"),
        )
        .with("state", state)
        .with("action", action)
    }

    /// A documented maximum is reached.
    #[must_use]
    pub fn limit(limit: &str, maximum: usize) -> Self {
        Self::new(
            Reason::LimitReached,
            format!("no more than {maximum} {limit}"),
        )
        .with("limit", limit)
        .with("maximum", maximum)
    }
}

/// Collects violations, so that bad input is refused whole with every fault listed.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Notes a fault.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(Violation {
            field: field.into(),
            description: description.into(),
        });
    }

    /// Notes a fault unless `holds`.
    pub fn require(&mut self, holds: bool, field: &str, description: &str) {
        if !holds {
            self.add(field, description);
        }
    }

    fn take_all(&mut self, refusal: Refusal) {
        if refusal.violations.is_empty() {
            self.add("", refusal.message);
        } else {
            self.0.extend(refusal.violations);
        }
    }

    /// Takes a value, or notes every fault for which it was refused.
    pub fn take<T>(&mut self, value: Result<T, Refusal>) -> Option<T> {
        value.map_err(|refusal| self.take_all(refusal)).ok()
    }

    /// # Errors
    /// [`Reason::InvalidField`] with all faults, if there is any.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Refusal::fields(Reason::InvalidField, self.0))
    }
}
