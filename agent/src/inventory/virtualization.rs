//! What this machine runs inside of, in the words of `systemd-detect-virt`.

use super::source::Root;

/// Firmware texts and what they mean; the first that is found counts.
const FIRMWARE: [(&str, &str); 17] = [
    ("KVM", "kvm"),
    ("OpenStack", "kvm"),
    ("KubeVirt", "kvm"),
    ("Amazon EC2", "amazon"),
    ("QEMU", "qemu"),
    ("VMware", "vmware"),
    ("VMW", "vmware"),
    ("innotek GmbH", "oracle"),
    ("VirtualBox", "oracle"),
    ("Xen", "xen"),
    ("Bochs", "bochs"),
    ("Parallels", "parallels"),
    ("BHYVE", "bhyve"),
    ("Hyper-V", "microsoft"),
    ("Apple Virtualization", "apple"),
    ("Google Compute Engine", "google"),
    ("OpenBSD", "vmm"),
];

/// The word for the hypervisor that the firmware's texts name. Real machines of the same vendors are not virtual.
pub fn of_firmware<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    texts
        .into_iter()
        .find_map(|text| FIRMWARE.iter().find(|(start, _)| text.starts_with(start)).map(|(_, word)| *word))
}

/// The word for what a hypervisor calls itself to its guests.
pub fn of_signature(signature: &str) -> Option<&'static str> {
    Some(match signature.trim_end_matches('\0') {
        "KVMKVMKVM" | "Linux KVM Hv" => "kvm",
        "TCGTCGTCGTCG" => "qemu",
        "XenVMMXenVMM" => "xen",
        "VMwareVMware" => "vmware",
        "Microsoft Hv" => "microsoft",
        "bhyve bhyve " => "bhyve",
        "QNXQVMBSQG" => "qnx",
        "ACRNACRNACRN" => "acrn",
        "SRESRESRESRE" => "sre",
        "Apple VZ" => "apple",
        "VBoxVBoxVBox" => "oracle",
        "OpenBSDVMM58" => "vmm",
        _ => return None,
    })
}

/// What the machine whose tree is `root` runs inside of.
pub fn detect(root: &Root) -> Option<String> {
    container(root).or_else(|| machine(root).map(str::to_owned))
}

/// The container, by the marks that container programs leave.
fn container(root: &Root) -> Option<String> {
    let release = root.line("proc/sys/kernel/osrelease").unwrap_or_default();
    if release.contains("Microsoft") || release.contains("WSL") {
        return Some("wsl".into());
    }
    if let Some(word) = root.line("run/systemd/container") {
        return Some(word);
    }
    let environment = root.text("proc/1/environ").unwrap_or_default();
    if let Some(word) = environment.split('\0').find_map(|pair| pair.strip_prefix("container=")) {
        return Some(if word == "oci" { "docker".into() } else { word.to_owned() });
    }
    let marks = [(".dockerenv", "docker"), ("run/.containerenv", "podman"), ("proc/vz", "openvz")];
    let found = marks.iter().find(|(path, _)| root.path(path).exists());
    // The host of OpenVZ has both folders, its containers only the first.
    found.filter(|(_, word)| *word != "openvz" || !root.path("proc/bc").exists()).map(|(_, w)| (*w).into())
}

/// The hypervisor, by firmware, then by what it says itself.
fn machine(root: &Root) -> Option<&'static str> {
    let dmi = ["product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"]
        .map(|file| root.line(&format!("sys/class/dmi/id/{file}")).unwrap_or_default());
    if root.line("sys/hypervisor/type").as_deref() == Some("xen") {
        return Some("xen");
    }
    if dmi[0] == "Virtual Machine" && dmi[1].starts_with("Microsoft") {
        return Some("microsoft");
    }
    let by_firmware = of_firmware(dmi.iter().map(String::as_str));
    // The firmware may be called after QEMU where KVM does the work: what the processor says is closer to the truth.
    match (by_firmware, signature(root)) {
        (Some("qemu") | None, Some(word)) => Some(word),
        (Some(word), _) => Some(word),
        (None, None) => match root.line("proc/device-tree/hypervisor/compatible").as_deref() {
            Some("linux,kvm") => Some("kvm"),
            Some("vmware") => Some("vmware"),
            Some(text) if text.contains("xen") => Some("xen"),
            _ => None,
        },
    }
}

#[cfg(target_arch = "x86_64")]
fn signature(root: &Root) -> Option<&'static str> {
    use std::arch::x86_64::__cpuid;
    let flags = root.text("proc/cpuinfo").ok()?;
    if !root.is_machine() || !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        return None;
    }
    let answer = __cpuid(0x4000_0000);
    let mut bytes = Vec::with_capacity(12);
    for word in [answer.ebx, answer.ecx, answer.edx] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    Some(of_signature(&String::from_utf8_lossy(&bytes)).unwrap_or("vm-other"))
}

#[cfg(not(target_arch = "x86_64"))]
fn signature(_root: &Root) -> Option<&'static str> {
    None
}
