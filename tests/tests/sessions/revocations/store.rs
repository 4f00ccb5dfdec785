//! A store that does what a test says.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use socketioxide_jwt_auth::{
    Revocation, RevocationError, RevocationNotifier, RevocationQuery, RevocationStatus,
    RevocationStore, Revocations,
};
use socketioxide_jwt_auth_tests::{Gate, Recorder};

/// What a store does when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    Answers,
    /// Has its answer, and gives it when the gate opens.
    AnswersLate,
    Fails,
    Panics,
    PanicsInTheCall,
    Hangs,
}

#[derive(Clone)]
pub(super) struct Scripted {
    pub(super) revocations: Revocations,
    behaviour: Arc<Mutex<Behaviour>>,
    asked: Arc<AtomicUsize>,
    recorder: Recorder,
    gate: Gate,
}

impl Scripted {
    pub(super) fn new(recorder: &Recorder, gate: &Gate) -> Self {
        Self {
            revocations: Revocations::in_memory(),
            behaviour: Arc::new(Mutex::new(Behaviour::Answers)),
            asked: Arc::default(),
            recorder: recorder.clone(),
            gate: gate.clone(),
        }
    }

    pub(super) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    /// How often it was asked about one token.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn answer<T>(&self, answer: impl Future<Output = T>) -> Result<T, RevocationError> {
        let behaviour = *self.behaviour.lock().unwrap();

        match behaviour {
            Behaviour::Fails => return Err(RevocationError::new("on purpose")),
            Behaviour::Panics => panic!("on purpose"),
            Behaviour::Hangs => std::future::pending().await,
            _ => {}
        }

        let answer = answer.await;
        if behaviour == Behaviour::AnswersLate {
            self.recorder.record("store");
            self.gate.pass().await;
        }
        Ok(answer)
    }
}

impl RevocationStore for Scripted {
    fn check(
        &self,
        query: RevocationQuery<'_>,
    ) -> impl Future<Output = Result<RevocationStatus, RevocationError>> + Send {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let behaviour = *self.behaviour.lock().unwrap();
        assert_ne!(behaviour, Behaviour::PanicsInTheCall, "on purpose");
        async move { self.answer(self.revocations.check(query)).await? }
    }

    async fn check_many(
        &self,
        queries: &[RevocationQuery<'_>],
    ) -> Result<Vec<RevocationStatus>, RevocationError> {
        self.recorder.record("sweep");
        self.answer(self.revocations.check_many(queries)).await?
    }

    async fn revoke(&self, revocation: Revocation) -> Result<(), RevocationError> {
        self.revocations.revoke(revocation).await
    }

    fn notifier(&self) -> Option<&RevocationNotifier> {
        self.revocations.notifier()
    }
}
