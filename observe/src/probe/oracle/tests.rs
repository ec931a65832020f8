//! Published exchanges with Oracle's listener, replayed byte for byte over TCP. I/O.
//!
//! No Oracle can run in the tests. The answers are those that packet captures of real listeners show: a ping of an
//! 11.2 listener and its refusals, the refusal of a 21c listener (`VSNNUM=352321536`), an accept of protocol 318.

use kernel::probe::Outcome;
use kernel::secret::Text;
use tokio::net::TcpListener;

use super::*;

const ACCEPT: &[u8] = &[
    0x00, 0x2d, 0, 0, 2, 0, 0, 0, 0x01, 0x3e, 0x0c, 0x01, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x2d, 0xc1, 1, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0x20, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 1,
];
const RESEND: &[u8] = &[0, 8, 0, 0, 11, 8, 0, 0];

fn refuse(data: &str) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    let mut out = (length + 12).to_be_bytes().to_vec();
    out.extend_from_slice(&[0, 0, 4, 0, 0, 0, 0x22, 0]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(data.as_bytes());
    out
}

/// A listener that gives these answers one after the other and keeps what it was asked.
async fn replay(answers: Vec<Vec<u8>>) -> (u16, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        for answer in answers {
            let mut header = [0; 8];
            stream.read_exact(&mut header).await.unwrap();
            let mut body = vec![0; tns::body_length(&header).unwrap()];
            stream.read_exact(&mut body).await.unwrap();
            asked = [header.to_vec(), body].concat();
            stream.write_all(&answer).await.unwrap();
        }
        asked
    });
    (port, asked)
}

async fn ask_replay(service: Option<&str>, command: &[&str], answers: Vec<Vec<u8>>) -> (Probed, Vec<u8>) {
    let (port, asked) = replay(answers).await;
    let oracle = PreparedOracle {
        target: Target::parse("address", &format!("127.0.0.1:{port}"), None).unwrap(),
        service: service.map(str::to_owned),
        command: match command {
            [] => None,
            argv => {
                let argv: Vec<Text> = argv.iter().map(|a| Text::new(*a)).collect();
                let settings = crate::probe::CheckSettings::of(&plan_model::Check::default(), &Default::default());
                Some(prepare_invocation("command", &argv, &Preparing::new(&NoSecrets, &settings)).unwrap())
            }
        },
    };
    let probed = probe_oracle(&oracle, &Attempt::for_test()).await;
    (probed, asked.await.unwrap())
}

struct NoSecrets;

impl kernel::secret::Resolver for NoSecrets {
    fn resolve(
        &self,
        reference: &kernel::secret::Reference,
    ) -> Result<kernel::secret::Secret, kernel::secret::ResolveError> {
        let reason = "it is not set".to_owned();
        Err(kernel::secret::ResolveError { reference: reference.clone(), reason })
    }
}

async fn check(service: Option<&str>, answer: &[u8], outcome: Outcome, error: &str) {
    let (probed, _) = ask_replay(service, &[], vec![answer.to_vec()]).await;
    assert_eq!(probed.outcome, outcome, "{probed:?}");
    assert!(probed.error.clone().unwrap_or_default().contains(error), "{probed:?}");
}

#[tokio::test]
async fn chk_03_oracle_listener_accepts_refuses_redirects() {
    let unknown = "(DESCRIPTION=(TMP=)(VSNNUM=352321536)(ERR=12514)(ERROR_STACK=(ERROR=(CODE=12514)(EMFI=4))))";
    let full = "(DESCRIPTION=(TMP=)(VSNNUM=186647552)(ERR=12520)(ERROR_STACK=(ERROR=(CODE=12520)(EMFI=4))))";
    let ping = "(DESCRIPTION=(TMP=)(VSNNUM=0)(ERR=0)(ALIAS=LISTENER))";
    check(Some("XE"), ACCEPT, Outcome::Up, "").await;
    check(Some("XE"), &refuse(unknown), Outcome::Down, "ORA-12514 it does not know this service").await;
    check(Some("XE"), &refuse(full), Outcome::Down, "ORA-12520 no handler has room").await;
    check(Some("XE"), &[0, 10, 0, 0, 5, 0, 0, 0, 0, 0], Outcome::Up, "").await;
    check(None, &refuse(ping), Outcome::Up, "").await;
    check(None, b"SSH-2.0-OpenSSH_9.2\r\n", Outcome::Down, "something else than Oracle's TNS").await;
}

#[tokio::test]
async fn chk_03_oracle_listener_may_ask_again() {
    let (probed, asked) = ask_replay(Some("XE"), &[], vec![RESEND.to_vec(), ACCEPT.to_vec()]).await;
    assert_eq!((probed.outcome, probed.status.as_deref()), (Outcome::Up, Some("accepted")));
    assert!(String::from_utf8_lossy(&asked).contains("(SERVICE_NAME=XE)"));
    let (probed, _) = ask_replay(Some("XE"), &[], vec![RESEND.to_vec(); 4]).await;
    assert!(probed.error.unwrap().contains("wanted the question again"));
}

#[tokio::test]
async fn chk_03_oracle_own_command_has_the_last_word() {
    let down = ["/bin/sh", "-c", "echo 'sessions 298 of 300'; exit 2"];
    let (probed, _) = ask_replay(Some("XE"), &down, vec![ACCEPT.to_vec()]).await;
    assert_eq!((probed.outcome, probed.error.as_deref()), (Outcome::Down, Some("sessions 298 of 300")));
    let (probed, _) = ask_replay(Some("XE"), &["/bin/true"], vec![ACCEPT.to_vec()]).await;
    assert_eq!(probed.outcome, Outcome::Up);
}

/// The bytes that `tnsping` sends, but for fields in which releases differ (client's transport flags, connection id).
#[test]
fn chk_03_oracle_ping_is_tnspings() {
    let recorded = b"\x00\x57\x00\x00\x01\x00\x00\x00\x01\x38\x01\x2c\x00\x00\x08\x00\x7f\xff\x7f\x08";
    let packet = tns::connect_packet(None, "db", 1521);
    assert_eq!(&packet[..20], recorded);
    assert_eq!(&packet[24..28], b"\x00\x1d\x00\x3a");
    assert_eq!(&packet[58..], b"(CONNECT_DATA=(COMMAND=ping))");
    assert_eq!(packet.len(), 0x57);
}

#[test]
fn reads_the_release() {
    assert_eq!(tns::release("(VSNNUM=186646784)").as_deref(), Some("11.2.0.1.0"));
    assert_eq!(tns::release("(VSNNUM=352321536)").as_deref(), Some("21.0.0.0.0"));
    assert_eq!(tns::release("(VSNNUM=0)"), None);
}
