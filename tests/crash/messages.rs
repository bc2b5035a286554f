//! What parent and child tell each other, one line of JSON each.

use entente::domain::identity::ScopeId;
use entente::domain::record::Kind;
use entente::domain::refusal::{Reason, Refusal};
use entente::ledger::{Failure, Receipt};
use serde::{Deserialize, Serialize};

use crate::support::workload::Recipe;

/// The environment variable that makes a process the child; it holds an [`Order`].
pub const CHILD: &str = "ENTENTE_CRASH_CHILD";

/// Where the child ends itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Point {
    /// A transaction has begun.
    AfterBegin,
    /// It holds the heads.
    AfterLock,
    /// It has loaded something.
    AfterLoad,
    /// It is about to write.
    BeforeWrite,
    /// It has written.
    AfterWrite,
    /// It is about to commit.
    BeforeCommit,
    /// It has committed, and nobody was told.
    AfterCommitBeforeAnswer,
}

impl Point {
    /// Every point.
    pub const ALL: [Self; 7] = [
        Self::AfterBegin,
        Self::AfterLock,
        Self::AfterLoad,
        Self::BeforeWrite,
        Self::AfterWrite,
        Self::BeforeCommit,
        Self::AfterCommitBeforeAnswer,
    ];
}

/// What the child shall do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// On which database.
    pub url: String,
    /// Decides what it thinks of.
    pub seed: u64,
    /// Its recipes are numbered from here.
    pub first_number: u64,
    /// What its clock shows at first, in microseconds.
    pub clock: i64,
    /// Where it ends itself, and at which time that it comes there; never, where `None`.
    pub kill: Option<(Point, u32)>,
}

/// What the child says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Said {
    /// It is about to send a command.
    Asks(Recipe),
    /// A command was accepted.
    Accepted {
        /// The recipe's number.
        number: u64,
        /// Where the command's last entry stands.
        sequence: u64,
        /// That entry's hash, hexadecimal.
        hash: String,
        /// What the record is.
        kind: String,
        /// Which record.
        id: String,
        /// What the caller is told beside the record.
        note: String,
    },
    /// A command was refused, or its outcome is unknown.
    Refused {
        /// The recipe's number.
        number: u64,
        /// The reason as the contract spells it.
        reason: String,
        /// For a person.
        message: String,
    },
    /// It has done what it was told, and ends.
    Done,
}

impl Said {
    /// What the ledger answered to a recipe.
    pub fn answer(recipe: &Recipe, answer: Result<Receipt, Failure>) -> Self {
        let number = recipe.number;
        match answer {
            Ok(receipt) => Self::Accepted {
                number,
                sequence: receipt.sequence,
                hash: data_encoding::HEXLOWER.encode(&receipt.hash),
                kind: receipt.kind.as_str().to_owned(),
                id: receipt.id,
                note: receipt.note,
            },
            Err(Failure(refusal)) => Self::Refused {
                number,
                reason: refusal.reason.as_str().to_owned(),
                message: refusal.message,
            },
        }
    }

    /// The recipe's number and the ledger's answer, if this is one; `scope` is the recipe's.
    pub fn answered(
        &self,
        scope: impl Fn(u64) -> ScopeId,
    ) -> Option<(u64, Result<Receipt, Failure>)> {
        match self {
            Self::Accepted {
                number,
                sequence,
                hash,
                kind,
                id,
                note,
            } => {
                let hash = data_encoding::HEXLOWER
                    .decode(hash.as_bytes())
                    .expect("hexadecimal digits");
                let receipt = Receipt {
                    scope: scope(*number),
                    sequence: *sequence,
                    hash: hash.try_into().expect("32 bytes"),
                    kind: Kind::parse(kind).expect("a kind"),
                    id: id.clone(),
                    note: note.clone(),
                    replayed: false,
                    carries: Vec::new(),
                };
                Some((*number, Ok(receipt)))
            }
            Self::Refused {
                number,
                reason,
                message,
            } => {
                let reason = Reason::ALL
                    .iter()
                    .find(|known| known.as_str() == reason)
                    .expect("a reason");
                Some((*number, Err(Failure(Refusal::new(*reason, message)))))
            }
            Self::Asks(_) | Self::Done => None,
        }
    }
}
