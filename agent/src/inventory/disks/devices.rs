//! Block devices, from `/sys/class/block`: what `lsblk` lists, without loop and RAM devices.

use super::Device;
use crate::inventory::source::Root;

/// Devices and partitions of the machine, by name.
pub fn list(root: &Root) -> Vec<Device> {
    root.names("sys/class/block").into_iter().filter_map(|name| device(root, name)).collect()
}

fn device(root: &Root, name: String) -> Option<Device> {
    if ["loop", "ram", "fd", "nbd"].iter().any(|prefix| name.starts_with(prefix)) {
        return None;
    }
    let base = format!("sys/class/block/{name}");
    // The kernel counts in sectors of 512 bytes here, whatever the device's own.
    let size_bytes =
        root.number::<u64>(&format!("{base}/size")).filter(|size| *size > 0)?.saturating_mul(512);
    let flag = |file: &str| root.number::<u8>(&format!("{base}/{file}")) == Some(1);
    let line = |file: &str| root.line(&format!("{base}/{file}"));
    let place = std::fs::canonicalize(root.path(&base)).unwrap_or_default();
    let partition = root.path(&format!("{base}/partition")).exists();
    let disk = place.parent().and_then(|parent| parent.file_name()?.to_str()).filter(|_| partition);
    let queue = disk.map_or_else(|| base.clone(), |disk| format!("sys/class/block/{disk}"));
    let kind = if partition { "part".into() } else { kind(root, &base, &name) };
    let parents = match disk {
        Some(disk) => vec![disk.to_owned()],
        None => root.names(&format!("{base}/slaves")),
    };
    Some(Device {
        model: line("device/model"),
        rotational: root.number::<u8>(&format!("{queue}/queue/rotational")) == Some(1),
        removable: root.number::<u8>(&format!("{queue}/removable")) == Some(1),
        read_only: flag("ro"),
        size_bytes,
        kind,
        parents,
        label: line("dm/name"),
        vendor: line("device/vendor").filter(|vendor| !vendor.starts_with("0x") && vendor != "ATA"),
        serial: line("serial").or_else(|| line("device/serial")).or_else(|| serial_page(root, &base)),
        transport: transport(&name, &place.to_string_lossy()).filter(|_| !partition).map(str::to_owned),
        name,
    })
}

/// The word of `lsblk` for a whole device.
fn kind(root: &Root, base: &str, name: &str) -> String {
    if name.starts_with("dm-") {
        let uuid = root.line(&format!("{base}/dm/uuid")).unwrap_or_default();
        let word = uuid.split_once('-').map_or("", |(word, _)| word).to_lowercase();
        return if word.is_empty() { "dm".into() } else { word };
    }
    if name.starts_with("md") {
        return root.line(&format!("{base}/md/level")).unwrap_or_else(|| "raid".into());
    }
    if name.starts_with("sr") { "rom".into() } else { "disk".into() }
}

/// How a device is attached, by its name and its place in `/sys/devices`.
pub fn transport(name: &str, place: &str) -> Option<&'static str> {
    let starts = [("nvme", "nvme"), ("vd", "virtio"), ("mmcblk", "mmc"), ("xvd", "xen")];
    if let Some((_, word)) = starts.iter().find(|(start, _)| name.starts_with(start)) {
        return Some(word);
    }
    let scsi = name.starts_with("sd") || name.starts_with("sr");
    scsi.then(|| match place {
        place if place.contains("/usb") => "usb",
        place if place.contains("/ata") => "sata",
        place if place.contains("/virtio") => "virtio",
        _ => "scsi",
    })
}

/// The serial number in the page that SCSI devices keep it in: four bytes of header, then text.
fn serial_page(root: &Root, base: &str) -> Option<String> {
    let page = root.text(&format!("{base}/device/vpd_pg80")).ok()?;
    let text: String = page.chars().skip(4).filter(|c| c.is_ascii_graphic()).collect();
    (!text.is_empty()).then_some(text)
}
