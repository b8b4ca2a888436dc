//! The agent half, with real interpreters.

use std::time::{Duration, Instant};

use automation::{
    Automation,
    model::{
        digest::sha256,
        interpreter::{Interpreter, Passing},
        wire::{ScriptJob, ScriptResult, WireValue},
    },
};
use plugin_sdk::EngineError;
use plugin_testing::TestAgent;

type Agent = TestAgent<Automation>;

fn job(interpreter: Interpreter, content: &str) -> ScriptJob {
    ScriptJob {
        run_id: "run-1".into(),
        interpreter,
        content: content.into(),
        sha256: sha256(content.as_bytes()),
        passing: Passing::Environment,
        parameters: Vec::new(),
        run_as: None,
        working_directory: None,
        timeout_s: 30,
        output_limit_bytes: 1 << 20,
    }
}

fn bash(content: &str) -> ScriptJob {
    job(Interpreter::Bash, content)
}

fn plain(name: &str, value: &str) -> WireValue {
    WireValue { name: name.into(), secret: false, value: Some(value.into()) }
}

fn secret(name: &str, value: &str) -> WireValue {
    WireValue { name: name.into(), secret: true, value: Some(value.into()) }
}

struct Ran {
    result: Result<ScriptResult, EngineError>,
    stdout: String,
    stderr: String,
}

impl Ran {
    #[track_caller]
    fn ok(&self) -> &ScriptResult {
        match &self.result {
            Ok(result) => result,
            Err(e) => panic!("{e}"),
        }
    }
}

async fn run(agent: &Agent, job: &ScriptJob) -> Ran {
    let mut running = agent.begin("run_script", job);
    let result = running.result().await;
    Ran { result, stdout: running.stdout(), stderr: running.stderr() }
}

#[tokio::test]
async fn real_interpreters_run_and_report() {
    let agent = Agent::start().await;
    for (interpreter, content) in [
        (Interpreter::Bash, "echo out; echo err >&2; [[ -n $BASH_VERSION ]] && exit 7"),
        (Interpreter::Sh, "echo out; echo err >&2; exit 7"),
        (Interpreter::Python3, "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(7)"),
    ] {
        let ran = run(&agent, &job(interpreter, content)).await;
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("out\n", "err\n"), "{interpreter:?}");
        let result = ran.ok();
        assert_eq!((result.exit_code, result.signal), (Some(7), None));
        assert_eq!((result.stdout_bytes, result.stderr_bytes, result.truncated), (4, 4, false));
        assert_eq!(result.stdout_sha256, sha256(b"out\n"));
        assert_eq!(result.error.as_ref().unwrap().code, "exit_code");
    }
    let ran = run(&agent, &bash("exit 0")).await;
    assert_eq!((ran.ok().exit_code, &ran.ok().error), (Some(0), &None));
    let ran = run(&agent, &bash("kill -9 $$")).await;
    assert_eq!((ran.ok().exit_code, ran.ok().signal), (None, Some(9)));
    assert_eq!(ran.ok().error.as_ref().unwrap().code, "killed_by_signal");
    let left = std::fs::read_dir(agent.data_dir().join("scripts")).unwrap().count();
    assert_eq!(left, 0, "no script is left on disk");
}

#[tokio::test]
async fn hostile_values_arrive_as_they_are_and_do_nothing() {
    let agent = Agent::start().await;
    let canary = agent.data_dir().join("canary");
    let touch = format!("touch {}", canary.display());
    for evil in [
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("'; {touch}; '"),
        format!("\"; {touch}; \""),
        format!("\n{touch}\n"),
        format!("a\\\n&& {touch} ||"),
        "-rf".into(),
        "--".into(),
        "*".into(),
        "%s%n".into(),
        "héllo \u{202e}".into(),
    ] {
        for passing in [Passing::Environment, Passing::Arguments] {
            let shown = if passing == Passing::Arguments { "\"$1\"" } else { "\"$PARAM_VALUE\"" };
            let content = format!("printf '<%s>' {shown}");
            let parameters = vec![plain("value", &evil)];
            for interpreter in [Interpreter::Bash, Interpreter::Sh] {
                let job = ScriptJob { passing, parameters: parameters.clone(), ..job(interpreter, &content) };
                let ran = run(&agent, &job).await;
                assert_eq!(ran.stdout, format!("<{evil}>"), "{}", ran.stderr);
                assert_eq!(ran.ok().exit_code, Some(0));
            }
        }
    }
    let python = "import os, sys\nsys.stdout.write(os.environ['PARAM_VALUE'])";
    let parameters = vec![plain("value", "$(id)\n'\"")];
    let ran = run(&agent, &ScriptJob { parameters, ..job(Interpreter::Python3, python) }).await;
    assert_eq!(ran.stdout, "$(id)\n'\"");
    assert!(!canary.exists(), "nothing of a value was run");
    let nul = ScriptJob { parameters: vec![plain("value", "a\0b")], ..bash("true") };
    assert_eq!(run(&agent, &nul).await.result.unwrap_err().code, "parameter_invalid");
}

#[tokio::test]
async fn the_environment_is_clean() {
    let agent = Agent::start().await;
    let job = ScriptJob {
        parameters: vec![plain("path", "/evil"), plain("ld_preload", "x")],
        ..bash("env | sort; pwd; umask")
    };
    let ran = run(&agent, &job).await;
    let names: Vec<_> = ran.stdout.lines().filter_map(|l| l.split_once('=')).map(|(n, _)| n).collect();
    for name in &names {
        let known = ["HOME", "LANG", "LOGNAME", "PATH", "PWD", "SHLVL", "TZ", "USER", "_", "OLDPWD"];
        let given = name.starts_with("PARAM_") || name.starts_with("SYSMANAGE_");
        assert!(known.contains(name) || given, "{name} is the agent's own");
    }
    assert!(names.contains(&"PARAM_LD_PRELOAD") && !names.contains(&"LD_PRELOAD"));
    assert!(!ran.stdout.contains("PATH=/evil\n") || ran.stdout.contains("PARAM_PATH=/evil\n"));
    assert!(ran.stdout.contains("SYSMANAGE_RUN_ID=run-1\n"));
}

#[tokio::test]
async fn output_arrives_while_the_script_runs_and_a_cancel_ends_the_whole_group() {
    let agent = Agent::start().await;
    let pids = agent.data_dir().join("pids");
    let content = format!("sleep 300 & echo $! $$ > {}; echo ready; wait", pids.display());
    let mut running = agent.begin("run_script", &bash(&content));
    running.wait_for_stdout("ready").await;
    running.cancel();
    let result: ScriptResult = running.result().await.unwrap();
    assert_eq!(result.error.unwrap().code, "cancelled");
    let text = std::fs::read_to_string(pids).unwrap();
    for pid in text.split_whitespace() {
        gone(pid).await;
    }
}

async fn gone(pid: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // A zombie whose parent is gone waits for the init process of this place, if it has one.
        if state.is_empty() || state.contains(") Z ") {
            return;
        }
        assert!(Instant::now() < until, "process {pid} still lives: {state}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_script_that_ignores_term_is_killed_at_its_limit() {
    let agent = Agent::start().await;
    let job = ScriptJob { timeout_s: 5, ..bash("trap '' TERM; echo here; while :; do sleep 0.1; done") };
    let begun = Instant::now();
    let ran = run(&agent, &job).await;
    assert_eq!(ran.ok().error.as_ref().unwrap().code, "timed_out");
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(ran.stdout, "here\n");

    let mut running = agent.begin_within("run_script", &bash("sleep 300"), Some(Duration::from_millis(300)));
    let result: ScriptResult = running.result().await.unwrap();
    assert_eq!(result.error.unwrap().code, "timed_out", "the task's deadline counts too");
}

#[tokio::test]
async fn something_left_in_the_background_does_not_hold_the_result_up() {
    let agent = Agent::start().await;
    let begun = Instant::now();
    let ran = run(&agent, &bash("sleep 600 & echo $!; exit 0")).await;
    assert_eq!(ran.ok().exit_code, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(60));
    let pid = ran.stdout.trim().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[tokio::test]
async fn output_is_cut_at_its_limit_and_counted_on() {
    let agent = Agent::start().await;
    let job = ScriptJob { output_limit_bytes: 1_000, ..bash("head -c 500000 /dev/zero | tr '\\0' x") };
    let ran = run(&agent, &job).await;
    assert_eq!((ran.ok().stdout_bytes, ran.ok().truncated), (500_000, true));
    assert_eq!(ran.stdout, format!("{}\n[output cut after 1000 bytes]\n", "x".repeat(1_000)));
}

#[tokio::test]
async fn secrets_reach_the_script_and_do_not_leave_the_machine() {
    let agent = Agent::start().await;
    let content = "printf '%s' \"$PARAM_TOKEN\" | wc -c; \
        for ((i = 0; i < ${#PARAM_TOKEN}; i++)); do printf '%s' \"${PARAM_TOKEN:$i:1}\"; sleep 0.01; done; echo; \
        printf '%s' \"$PARAM_TOKEN\" | base64; set -x; : \"$PARAM_TOKEN\"; tr '\\0' ' ' < /proc/$$/cmdline";
    let parameters = vec![secret("token", "correct-horse-battery"), plain("shown", "visible")];
    let job = ScriptJob { parameters, passing: Passing::Arguments, ..bash(content) };
    let ran = run(&agent, &job).await;
    let all = format!("{}{}{}", ran.stdout, ran.stderr, serde_json::to_string(ran.ok()).unwrap());
    assert!(ran.stdout.starts_with("21\n******\n******"), "{}", ran.stdout);
    assert!(!all.contains("correct") && !all.contains("battery") && !all.contains("Y29ycmVjdC"), "{all}");
    assert!(ran.stdout.contains("visible") && ran.stderr.contains("******"), "{all}");

    let missing = ScriptJob {
        parameters: vec![WireValue { name: "token".into(), secret: true, value: None }],
        ..bash("true")
    };
    assert_eq!(run(&agent, &missing).await.result.unwrap_err().code, "secret_missing");
    let short = ScriptJob { parameters: vec![secret("token", "abc")], ..bash("true") };
    assert_eq!(run(&agent, &short).await.result.unwrap_err().code, "secret_too_short");
}

#[tokio::test]
async fn only_the_approved_text_runs_and_only_for_known_users() {
    let agent = Agent::start().await;
    let altered = ScriptJob { content: "reboot".into(), ..bash("true") };
    assert_eq!(run(&agent, &altered).await.result.unwrap_err().code, "script_altered");
    let nobody = ScriptJob { run_as: Some("no-such-user".into()), ..bash("true") };
    assert_eq!(run(&agent, &nobody).await.result.unwrap_err().code, "unknown_user");
    let nowhere = ScriptJob { working_directory: Some("/no/such".into()), ..bash("true") };
    assert_eq!(run(&agent, &nowhere).await.result.unwrap_err().code, "no_directory");
    let here = ScriptJob { working_directory: Some("/usr".into()), ..bash("pwd") };
    assert_eq!(run(&agent, &here).await.stdout, "/usr\n");
}

#[tokio::test]
async fn a_script_runs_as_another_user_when_the_agent_may_change() {
    let agent = Agent::start().await;
    let job = ScriptJob {
        run_as: Some("nobody".into()),
        ..bash("id -un; id -G; stat -c %a \"$SYSMANAGE_SCRIPT\"")
    };
    let ran = run(&agent, &job).await;
    if nix::unistd::Uid::effective().is_root() {
        let lines: Vec<_> = ran.stdout.lines().collect();
        assert_eq!((lines[0], lines[2]), ("nobody", "700"), "{}", ran.stderr);
        assert_eq!(lines[1].split(' ').count(), 1, "none of the agent's groups is kept");
    } else {
        assert_eq!(ran.result.unwrap_err().code, "cannot_change_user");
    }
}

#[tokio::test]
async fn syntax_is_checked_without_running() {
    let agent = Agent::start().await;
    let canary = agent.data_dir().join("canary");
    let touch = format!("touch {}\n", canary.display());
    for (interpreter, good, bad) in [
        (Interpreter::Bash, touch.clone(), "if true; then\n".to_owned()),
        (Interpreter::Sh, touch.clone(), "case x in\n".to_owned()),
        (
            Interpreter::Python3,
            format!("open({:?}, 'w')\n", canary.display().to_string()),
            "def f(:\n".into(),
        ),
    ] {
        let result: ScriptResult = agent.run("check_script", &job(interpreter, &good)).await.unwrap();
        assert_eq!(result.exit_code, Some(0), "{interpreter:?}");
        let mut running = agent.begin("check_script", &job(interpreter, &bad));
        let result: ScriptResult = running.result().await.unwrap();
        assert_ne!(result.exit_code, Some(0));
        assert!(!running.stderr().is_empty());
    }
    assert!(!canary.exists());
}
