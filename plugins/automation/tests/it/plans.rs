//! Which program runs a script, for interpreters and systems that are not here.

use automation::{
    agent::{System, check_plan, run_plan},
    model::interpreter::Interpreter,
};

fn words(plan: &automation::agent::Plan) -> Vec<&str> {
    std::iter::once(plan.programs[0]).chain(plan.arguments.iter().map(String::as_str)).collect()
}

#[test]
fn every_interpreter_gets_the_script_as_a_file_and_values_as_arguments_of_their_own() {
    let evil = ["$(reboot)".to_owned(), "a b\n;".to_owned()];
    for (interpreter, wanted) in [
        (Interpreter::Bash, vec!["bash", "/s"]),
        (Interpreter::Sh, vec!["sh", "/s"]),
        (Interpreter::Ksh, vec!["ksh", "/s"]),
        (Interpreter::Zsh, vec!["zsh", "-f", "/s"]),
        (Interpreter::Python3, vec!["python3", "/s"]),
    ] {
        let plan = run_plan(System::Unix, interpreter, "/s", &evil).unwrap();
        let mut wanted = wanted;
        wanted.extend(evil.iter().map(String::as_str));
        assert_eq!(words(&plan), wanted);
    }
}

#[test]
fn powershell_and_cmd_take_values_from_the_environment_only() {
    let shell =
        ["-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", r"C:\s.ps1"];
    let plan = run_plan(System::Windows, Interpreter::Powershell, r"C:\s.ps1", &[]).unwrap();
    assert_eq!((plan.programs[0], &plan.arguments[..]), ("powershell.exe", &shell.map(str::to_owned)[..]));
    assert_eq!(run_plan(System::Unix, Interpreter::Powershell, "/s.ps1", &[]).unwrap().programs, ["pwsh"]);
    let plan = run_plan(System::Windows, Interpreter::Cmd, r"C:\s.cmd", &[]).unwrap();
    assert_eq!(words(&plan), ["cmd.exe", "/D", "/C", r"C:\s.cmd"]);
    for interpreter in [Interpreter::Powershell, Interpreter::Cmd] {
        let refused = run_plan(System::Windows, interpreter, "s", &["-x".into()]).unwrap_err();
        assert_eq!(refused.code, "arguments_unsupported");
    }
    let refused = run_plan(System::Unix, Interpreter::Cmd, "s", &[]).unwrap_err();
    assert_eq!(refused.code, "interpreter_unsupported");
}

#[test]
fn a_check_never_runs_the_script() {
    for (interpreter, wanted) in [
        (Interpreter::Bash, vec!["bash", "-n", "/s"]),
        (Interpreter::Sh, vec!["sh", "-n", "/s"]),
        (Interpreter::Ksh, vec!["ksh", "-n", "/s"]),
        (Interpreter::Zsh, vec!["zsh", "-f", "-n", "/s"]),
    ] {
        assert_eq!(words(&check_plan(System::Unix, interpreter, "/s").unwrap()), wanted);
    }
    let python = check_plan(System::Unix, Interpreter::Python3, "/s").unwrap();
    assert!(words(&python).contains(&"-c") && words(&python).last() == Some(&"/s"));
    let powershell = check_plan(System::Windows, Interpreter::Powershell, "/s").unwrap();
    assert!(powershell.arguments.last().unwrap().contains("ParseFile($env:SYSMANAGE_SCRIPT"));
    assert_eq!(check_plan(System::Windows, Interpreter::Cmd, "s").unwrap_err().code, "check_unsupported");
}
