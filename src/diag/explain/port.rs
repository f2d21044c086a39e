//! What a port's number says: its range, who usually listens there, what this course does with it.

use serde::Serialize;

/// A port number, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortFacts {
    /// The number.
    pub port: u16,
    /// `system`, `registered`, `dynamic`, or `any` for 0.
    pub range: &'static str,
    /// What the range means.
    pub meaning: &'static str,
    /// Who usually listens there, where that is commonly known.
    pub service: Option<&'static str>,
    /// What this course uses it for.
    pub course: Option<&'static str>,
    /// True if Linux takes it for clients' own ports, by its default range.
    pub linux_ephemeral: bool,
}

/// Linux' net.ipv4.ip_local_port_range, as it comes: ip(7).
const LINUX_EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

/// Services that students meet. Source: IANA's registry, and habit.
const SERVICES: [(u16, &str); 36] = [
    (7, "echo (RFC 862)"),
    (9, "discard (RFC 863)"),
    (13, "daytime (RFC 867)"),
    (20, "FTP, data"),
    (21, "FTP"),
    (22, "SSH"),
    (23, "Telnet"),
    (25, "SMTP: mail between servers"),
    (53, "DNS, over UDP and TCP"),
    (67, "DHCP server, over UDP"),
    (68, "DHCP client, over UDP"),
    (69, "TFTP, over UDP"),
    (80, "HTTP"),
    (110, "POP3: mail"),
    (111, "rpcbind, for NFS"),
    (123, "NTP: time, over UDP"),
    (143, "IMAP: mail"),
    (161, "SNMP, over UDP"),
    (389, "LDAP"),
    (443, "HTTPS; QUIC over UDP"),
    (445, "SMB: Windows' file sharing"),
    (465, "SMTP with TLS"),
    (587, "SMTP from mail programs"),
    (631, "IPP: printing"),
    (993, "IMAP with TLS"),
    (1_433, "Microsoft SQL Server"),
    (1_883, "MQTT"),
    (3_306, "MySQL"),
    (3_389, "RDP: Windows' remote desktop"),
    (5_353, "mDNS, over UDP"),
    (5_432, "PostgreSQL"),
    (5_900, "VNC"),
    (6_379, "Redis"),
    (8_000, "HTTP, by habit for development"),
    (8_080, "HTTP, by habit for a second server or a proxy"),
    (27_017, "MongoDB"),
];

const COURSE: [(u16, &str); 5] = [
    (5_000, "the framed server of the sticky-packet text"),
    (8_080, "the HMAC challenge of the socket text: `netlab auth-demo`"),
    (9_999, "UDP echo: `netlab udp-echo`"),
    (12_000, "the room server: `netlab serve`"),
    (65_432, "TCP echo: `netlab tcp-echo`"),
];

/// Explains a port.
pub(super) fn port(port: u16) -> PortFacts {
    let (range, meaning) = match port {
        0 => ("any", "Not a port that anybody listens on: to bind it asks the system for a free one."),
        1..=1_023 => (
            "system",
            "A well-known port (0 to 1023). On most Unix systems listening on it needs a privilege.",
        ),
        1_024..=49_151 => ("registered", "A registered port (1024 to 49151): anybody may listen on it."),
        49_152.. => (
            "dynamic",
            "A dynamic port (49152 to 65535): registered to nobody, meant for clients' own ports.",
        ),
    };
    let named =
        |table: &[(u16, &'static str)]| table.iter().find(|(own, _)| *own == port).map(|(_, name)| *name);
    PortFacts {
        port,
        range,
        meaning,
        service: named(&SERVICES),
        course: named(&COURSE),
        linux_ephemeral: LINUX_EPHEMERAL.contains(&port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_of_rfc_6335() {
        let range = |number| port(number).range;
        assert_eq!([0, 1, 1_023].map(range), ["any", "system", "system"]);
        assert_eq!([1_024, 49_151].map(range), ["registered"; 2]);
        assert_eq!([49_152, 65_535].map(range), ["dynamic"; 2]);
        assert_eq!(port(443).service, Some("HTTPS; QUIC over UDP"));
        assert!(!port(65_432).linux_ephemeral && port(40_000).linux_ephemeral);
        assert!(port(65_432).course.is_some());
    }
}
