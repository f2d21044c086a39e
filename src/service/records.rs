//! Records: who may read and write whose. The files are the store's business.

use super::{Action, Call, Dispatcher, Done, Job, Notice, Outcome, Purpose, Role, check_text};
use crate::protocol::Code;
use crate::protocol::codec;
use crate::protocol::message::{Answer, Fault, Record, RecordRead, RecordWrite, RecordWritten, Tag};
use crate::protocol::names::ClientId;

/// A stamp is as long as any other.
const STAMP: &str = "YYYY-MM-DD HH:MM:SS";

impl Dispatcher {
    pub(super) fn record_write(&mut self, call: &mut Call<'_, '_>, data: &RecordWrite<'_>) -> Outcome {
        if self.config.read_only {
            return Err(Fault::new(Code::Unauthorized, "records are read-only on this server"));
        }
        if !self.session(call.session).is_known() {
            return Err(Fault::new(Code::Unauthorized, "RECORD_WRITE needs a login"));
        }
        let id = self.own_record(call, &data.client_id)?;
        self.fits_an_answer(&id, &data.text)?;
        self.note_handling(call, "RECORD_WRITE", &id);
        let job = Job::WriteRecord { id: id.clone(), text: data.text.to_string() };
        self.begin(call, Purpose::Record(id), job);
        Ok(())
    }

    pub(super) fn record_read(&mut self, call: &mut Call<'_, '_>, data: &RecordRead<'_>) -> Outcome {
        let id = self.own_record(call, &data.client_id)?;
        self.note_handling(call, "RECORD_READ", &id);
        self.begin(call, Purpose::Record(id.clone()), Job::ReadRecord { id });
        Ok(())
    }

    pub(super) fn record_done(&mut self, call: &mut Call<'_, '_>, id: &ClientId, done: Done) -> Outcome {
        match done {
            Done::Written { updated } => {
                let written = RecordWritten { client_id: id.into(), updated: updated.into() };
                self.answer(call, &Answer::RecordWritten(written))
            }
            Done::Read { updated, text } => {
                let record = Record { client_id: id.into(), updated: updated.into(), text: text.into() };
                self.answer(call, &Answer::Record(record))
            }
            Done::NoSuchRecord => Err(Fault::new(Code::NoSuchRecord, format!("there is no record {id}"))),
            Done::StoreFailed { reason } => Err(Fault::new(
                Code::StoreFailed,
                format!("the record {id} was not stored or read: {reason}"),
            )),
            Done::Verified(_) | Done::Busy => Err(Fault::new(Code::StoreFailed, "the store gave no answer")),
        }
    }

    fn note_handling(&self, call: &mut Call<'_, '_>, request: &'static str, client_id: &ClientId) {
        if self.config.notices {
            let (username, client_id) = (self.session(call.session).name.clone(), client_id.clone());
            call.actions.push(Action::Report(Notice::Handling { username, request, client_id }));
        }
    }

    /// The record's id, if it can be one and is this session's to touch. Asked before any look-up, so that
    /// nobody learns which records there are.
    fn own_record(&self, call: &Call<'_, '_>, id: &str) -> Result<ClientId, Fault<'static>> {
        let id = ClientId::parse(id).map_err(|error| Fault::new(Code::BadRecord, error.to_string()))?;
        let session = self.session(call.session);
        let own = session.name.as_str().eq_ignore_ascii_case(id.as_str());
        if self.login_demanded() && !own && session.role != Some(Role::Teacher) {
            return Err(Fault::new(Code::Unauthorized, "this record belongs to somebody else"));
        }
        Ok(id)
    }

    /// A record that could not be read back shall not be written.
    fn fits_an_answer(&self, id: &ClientId, text: &str) -> Outcome {
        check_text(text)?;
        let record = Record { client_id: id.into(), updated: STAMP.into(), text: text.into() };
        let mut payload = Vec::new();
        let longest = Tag::Text("x".repeat(crate::protocol::MAX_TEXT_TAG).into());
        codec::encode_answer(&Answer::Record(record), Some(&longest), &mut payload);
        if payload.len() > self.config.limits.max_frame { Err(self.too_long(payload.len())) } else { Ok(()) }
    }
}
