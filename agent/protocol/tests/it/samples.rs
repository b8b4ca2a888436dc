//! One frame of every kind, with every field set.

use agent_protocol::{
    Frame,
    engine::{AssignedEngine, EngineAssign, EngineReport, EngineState, EngineStatus, LoadedEngine},
    inventory::{
        Digest, InventoryAck, InventoryDelta, InventoryRequest, InventorySection, RemovedItems, SectionDigest,
    },
    metrics::{DiskMetrics, Heartbeat, Metrics, NetMetrics, Samples, SamplesAck, Series, Watch},
    session::{
        CertificateAnswer, CertificateRequest, Goodbye, Hello, MachineFacts, Ping, Policy, Pong, Welcome,
    },
    task::{
        Cancel, Command, CommandAccepted, EngineNeed, NoteState, Outcome, Output, OutputAck, Progress,
        ResultAck, Started, Stream, TaskError, TaskNote, TaskResult,
    },
};
use serde_bytes::ByteBuf;
use uuid::Uuid;

const T: i64 = 1_790_000_000_000;

pub fn task() -> Uuid {
    Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001)
}

fn bytes(text: &str) -> ByteBuf {
    ByteBuf::from(text.as_bytes().to_vec())
}

fn hello() -> Hello {
    let note = |n: u128, state| TaskNote { task_id: Uuid::from_u128(n), state };
    Hello {
        protocol: (1, 1),
        agent_version: "0.1.0".into(),
        capabilities: vec!["cancel".into()],
        facts: MachineFacts {
            hostname: "web-1".into(),
            os_family: "linux".into(),
            os_id: "debian".into(),
            os_name: "Debian GNU/Linux 13 (trixie)".into(),
            os_version: "13".into(),
            kernel: "6.12.0".into(),
            arch: "x86_64".into(),
            target: "x86_64-unknown-linux-gnu".into(),
            cpus: 8,
            memory_bytes: 16 << 30,
            boot_id: "b7f1".into(),
            addresses: vec!["192.0.2.7".into(), "2001:db8::7".into()],
            hardware: Vec::new(),
        },
        sections: vec![SectionDigest { name: "os".into(), digest: Digest::new([7; 32]) }],
        tasks: vec![note(1, NoteState::Accepted), note(2, NoteState::Running), note(3, NoteState::Finished)],
        engines: vec![LoadedEngine { id: "automation".into(), version: "1.2.0".into() }],
        now: T,
    }
}

fn metrics() -> Metrics {
    Metrics {
        at: T,
        uptime_s: 86_400,
        cpu_percent: 12.5,
        load: (0.5, 0.25, 0.125),
        memory_total: 16 << 30,
        memory_available: 9 << 30,
        swap_total: 1 << 30,
        swap_used: 4096,
        disks: vec![DiskMetrics { mount: "/".into(), total: 100, used: 40, read_bytes: 7, written_bytes: 9 }],
        nets: vec![NetMetrics { name: "eth0".into(), received_bytes: 11, sent_bytes: 13 }],
    }
}

fn engines() -> [Frame; 2] {
    [
        EngineAssign {
            engines: vec![AssignedEngine {
                id: "automation".into(),
                version: "1.2.0".into(),
                digest: Digest::new([9; 32]),
                size: 1_000_000,
                license_proof: bytes("{}"),
            }],
            revocations: bytes("list"),
        }
        .into(),
        EngineStatus {
            engines: vec![EngineReport {
                id: "automation".into(),
                version: "1.2.0".into(),
                state: EngineState::Refused,
                code: "license_required".into(),
                message: "The licence names no such engine.".into(),
            }],
        }
        .into(),
    ]
}

fn session() -> Vec<Frame> {
    vec![
        hello().into(),
        Welcome {
            protocol: 1,
            session_id: Uuid::from_u128(5),
            machine_id: Uuid::from_u128(6),
            server_time: T,
            host_version: "0.1.0".into(),
            policy: Policy::default(),
            capabilities: Vec::new(),
        }
        .into(),
        Goodbye { code: "replaced".into(), message: "A newer connection.".into(), retry_after_ms: 500 }
            .into(),
        Ping { nonce: 77 }.into(),
        Pong { nonce: 77 }.into(),
        Heartbeat { seq: 3, running_tasks: 1, metrics: Some(metrics()) }.into(),
        Watch { interval_ms: 2000, for_ms: 60_000 }.into(),
        Samples {
            first: T,
            offsets_s: vec![0, 60],
            series: vec![Series::pack("cpu.percent".into(), 0.5, [Some(12.5), None])],
        }
        .into(),
        SamplesAck { until: T }.into(),
        CertificateRequest { csr_der: bytes("csr") }.into(),
        CertificateAnswer::Issued { chain_der: vec![bytes("leaf"), bytes("ca")], not_after: T }.into(),
    ]
}

fn tasks() -> Vec<Frame> {
    vec![
        Command {
            task_id: task(),
            name: "automation.run_script".into(),
            payload: bytes("{\"a\":1}"),
            deadline: T,
            engine: Some(EngineNeed { id: "automation".into(), version: "1.2.0".into() }),
            attempt: 1,
        }
        .into(),
        CommandAccepted { task_id: task(), duplicate: true }.into(),
        Started { task_id: task(), at: T }.into(),
        Progress { task_id: task(), done: 1, total: 2, message: "half".into() }.into(),
        TaskResult {
            task_id: task(),
            outcome: Outcome::Failed,
            payload: bytes("{\"exit\":3}"),
            error: Some(TaskError { code: "exit_code".into(), message: "The script ended with 3.".into() }),
            started_at: Some(T),
            finished_at: T + 5,
            output_chunks: 2,
        }
        .into(),
        ResultAck { task_id: task() }.into(),
        Cancel { task_id: task() }.into(),
        OutputAck { task_id: task(), seq: 1, full: true }.into(),
        Output { task_id: task(), seq: 0, stream: Stream::Stdout, data: bytes("hello\n") }.into(),
        InventoryRequest { names: vec!["packages".into()], refresh: true, bases: Vec::new() }.into(),
        InventorySection {
            name: "os".into(),
            digest: Digest::new([7; 32]),
            collected_at: T,
            data: bytes("{\"id\":\"debian\"}"),
        }
        .into(),
        InventoryDelta {
            name: "packages".into(),
            base: Digest::new([7; 32]),
            digest: Digest::new([8; 32]),
            check: Digest::new([9; 32]),
            collected_at: T,
            upserts: bytes("{\"packages\":[{\"key\":\"dpkg:curl:amd64\",\"version\":\"2\"}]}"),
            removed: vec![RemovedItems { member: "packages".into(), keys: vec!["dpkg:wget:amd64".into()] }],
        }
        .into(),
        InventoryAck { name: "packages".into(), digest: Digest::new([8; 32]) }.into(),
    ]
}

pub fn all() -> Vec<Frame> {
    [session(), engines().to_vec(), tasks()].concat()
}
