//! Software that makes a role, and how it is known.

/// A piece of software.
#[derive(Debug)]
pub struct Software {
    /// The role it plays.
    pub role: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its services, without suffix; `x@` stands for all instances.
    pub services: &'static [&'static str],
    /// Its processes, as the kernel cuts their names.
    pub processes: &'static [&'static str],
    /// Its packages; `x-*` stands for all that start so and go on with a digit.
    pub packages: &'static [&'static str],
}

impl Software {
    /// Whether a service is its.
    pub fn is_service(&self, name: &str) -> bool {
        let name = name.strip_suffix(".service").unwrap_or(name);
        self.services.iter().any(|service| match service.strip_suffix('@') {
            Some(start) => name.split_once('@').is_some_and(|(template, _)| template == start),
            None => *service == name,
        })
    }

    /// Whether a package is its.
    pub fn is_package(&self, name: &str) -> bool {
        self.packages.iter().any(|package| match package.strip_suffix('*') {
            Some(start) => name.strip_prefix(start).is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            }),
            None => *package == name,
        })
    }
}

macro_rules! software {
    ($($role:literal $name:literal [$($service:literal)*] [$($process:literal)*] [$($package:literal)*])*) => {
        /// All software that is known.
        pub const SOFTWARE: &[Software] = &[$(Software {
            role: $role,
            name: $name,
            services: &[$($service),*],
            processes: &[$($process),*],
            packages: &[$($package),*],
        }),*];
    };
}

software! {
    "web_server" "nginx" ["nginx"] ["nginx"] ["nginx" "nginx-core" "nginx-full" "nginx-light"]
    "web_server" "apache" ["apache2" "httpd"] ["apache2" "httpd"] ["apache2" "httpd" "apache24"]
    "web_server" "caddy" ["caddy"] ["caddy"] ["caddy"]
    "web_server" "lighttpd" ["lighttpd"] ["lighttpd"] ["lighttpd"]
    "web_server" "iis" ["W3SVC"] [] []
    "load_balancer" "haproxy" ["haproxy"] ["haproxy"] ["haproxy"]
    "load_balancer" "traefik" ["traefik"] ["traefik"] ["traefik"]
    "load_balancer" "keepalived" ["keepalived"] [] ["keepalived"]
    "proxy" "squid" ["squid"] ["squid" "(squid-1)"] ["squid"]
    "proxy" "varnish" ["varnish"] ["varnishd" "cache-main"] ["varnish"]
    "application_server" "tomcat" ["tomcat" "tomcat9" "tomcat10"] [] ["tomcat" "tomcat9" "tomcat10"]
    "application_server" "php-fpm" ["php-fpm"] [] ["php-fpm" "php7.4-fpm" "php8.1-fpm" "php8.2-fpm" "php8.3-fpm" "php8.4-fpm"]
    "database_server" "postgresql" ["postgresql" "postgresql@"] ["postgres"] ["postgresql-*" "postgresql-server" "postgresql-server-*"]
    "database_server" "mysql" ["mysql" "mysqld"] ["mysqld"] ["mysql-server" "mysql-server-*" "mysql-community-server"]
    "database_server" "mariadb" ["mariadb"] ["mariadbd"] ["mariadb-server" "mariadb-server-*"]
    "database_server" "mongodb" ["mongod" "mongodb"] ["mongod"] ["mongodb-org-server" "mongodb-server"]
    "database_server" "mssql" ["mssql-server" "MSSQLSERVER"] ["sqlservr"] ["mssql-server"]
    "database_server" "oracle" [] ["tnslsnr"] []
    "database_server" "cassandra" ["cassandra"] [] ["cassandra"]
    "database_server" "influxdb" ["influxdb"] ["influxd"] ["influxdb" "influxdb2"]
    "cache_server" "redis" ["redis" "redis-server" "redis-server@"] ["redis-server"] ["redis" "redis-server"]
    "cache_server" "valkey" ["valkey" "valkey-server"] ["valkey-server"] ["valkey" "valkey-server"]
    "cache_server" "memcached" ["memcached"] ["memcached"] ["memcached"]
    "search_server" "elasticsearch" ["elasticsearch"] [] ["elasticsearch"]
    "search_server" "opensearch" ["opensearch"] [] ["opensearch"]
    "message_broker" "rabbitmq" ["rabbitmq-server"] ["beam.smp"] ["rabbitmq-server"]
    "message_broker" "mosquitto" ["mosquitto"] ["mosquitto"] ["mosquitto"]
    "message_broker" "nats" ["nats-server"] ["nats-server"] ["nats-server"]
    "mail_server" "postfix" ["postfix" "postfix@"] [] ["postfix"]
    "mail_server" "exim" ["exim4" "exim"] ["exim4" "exim"] ["exim4-daemon-light" "exim4-daemon-heavy" "exim"]
    "mail_server" "sendmail" ["sendmail"] ["sendmail"] ["sendmail"]
    "mail_server" "opensmtpd" ["opensmtpd" "smtpd"] ["smtpd"] ["opensmtpd"]
    "mail_server" "dovecot" ["dovecot"] ["dovecot"] ["dovecot-core" "dovecot"]
    "dns_server" "bind" ["named" "bind9"] ["named"] ["bind9" "bind" "bind918"]
    "dns_server" "unbound" ["unbound"] ["unbound"] ["unbound"]
    "dns_server" "dnsmasq" ["dnsmasq"] ["dnsmasq"] ["dnsmasq"]
    "dns_server" "powerdns" ["pdns"] ["pdns_server"] ["pdns-server" "pdns"]
    "dns_server" "windows-dns" ["DNS"] [] []
    "dhcp_server" "isc-dhcp" ["isc-dhcp-server" "dhcpd"] ["dhcpd"] ["isc-dhcp-server" "dhcp-server"]
    "dhcp_server" "kea" ["kea-dhcp4-server" "kea-dhcp4"] ["kea-dhcp4"] ["kea-dhcp4-server" "kea"]
    "directory_server" "openldap" ["slapd"] ["slapd"] ["slapd" "openldap-servers"]
    "directory_server" "389ds" ["dirsrv@"] ["ns-slapd"] ["389-ds-base"]
    "directory_server" "freeipa" ["ipa"] [] ["ipa-server" "freeipa-server"]
    "directory_server" "active-directory" ["NTDS" "samba-ad-dc"] [] ["samba-ad-dc"]
    "file_server" "samba" ["smbd" "smb"] ["smbd"] ["samba"]
    "file_server" "nfs" ["nfs-server" "nfs-kernel-server"] [] ["nfs-kernel-server"]
    "file_server" "vsftpd" ["vsftpd"] ["vsftpd"] ["vsftpd"]
    "file_server" "proftpd" ["proftpd"] ["proftpd"] ["proftpd-basic" "proftpd-core" "proftpd"]
    "file_server" "minio" ["minio"] ["minio"] ["minio"]
    "storage_server" "ceph" ["ceph-osd@" "ceph-mon@"] ["ceph-osd" "ceph-mon"] ["ceph-osd" "ceph-mon"]
    "storage_server" "iscsi-target" ["target" "tgt"] ["tgtd"] ["tgt" "targetcli-fb"]
    "container_host" "docker" ["docker"] ["dockerd"] ["docker-ce" "docker.io" "moby-engine"]
    "container_host" "podman" ["podman"] [] ["podman"]
    "container_host" "containerd" ["containerd"] ["containerd"] ["containerd.io" "containerd"]
    "container_host" "lxd" ["lxd" "snap.lxd.daemon"] ["lxd"] ["lxd"]
    "container_host" "incus" ["incus"] ["incusd"] ["incus"]
    "kubernetes_node" "kubernetes" ["kubelet"] ["kubelet"] ["kubelet"]
    "kubernetes_node" "k3s" ["k3s" "k3s-agent"] ["k3s-server" "k3s-agent"] ["k3s"]
    "kubernetes_node" "microk8s" ["snap.microk8s.daemon-kubelite"] ["kubelite"] ["microk8s"]
    "hypervisor" "libvirt" ["libvirtd" "virtqemud"] ["libvirtd"] ["libvirt-daemon-system" "libvirt-daemon"]
    "hypervisor" "proxmox" ["pve-cluster" "pvedaemon"] ["pvedaemon"] ["pve-manager"]
    "hypervisor" "xen" ["xenstored" "xend"] [] ["xen-hypervisor-*"]
    "hypervisor" "hyperv" ["vmms"] [] []
    "vpn_server" "openvpn" ["openvpn-server@" "openvpn@"] ["openvpn"] ["openvpn"]
    "vpn_server" "wireguard" ["wg-quick@"] [] ["wireguard-tools"]
    "vpn_server" "strongswan" ["strongswan" "strongswan-starter"] ["charon" "charon-systemd"] ["strongswan"]
    "time_server" "chrony" [] ["chronyd"] []
    "print_server" "cups" ["cups"] ["cupsd"] ["cups"]
    "monitoring_server" "prometheus" ["prometheus"] ["prometheus"] ["prometheus"]
    "monitoring_server" "grafana" ["grafana-server"] ["grafana" "grafana-server"] ["grafana"]
    "monitoring_server" "zabbix" ["zabbix-server"] ["zabbix_server"] ["zabbix-server-mysql" "zabbix-server-pgsql"]
    "monitoring_server" "icinga" ["icinga2"] ["icinga2"] ["icinga2"]
    "log_server" "loki" ["loki"] ["loki"] ["loki"]
    "log_server" "graylog" ["graylog-server"] [] ["graylog-server"]
    "backup_server" "bacula" ["bacula-director" "bacula-sd"] ["bacula-dir" "bacula-sd"] ["bacula-director" "bacula-sd"]
    "ci_server" "jenkins" ["jenkins"] [] ["jenkins"]
    "ci_server" "gitlab-runner" ["gitlab-runner"] ["gitlab-runner"] ["gitlab-runner"]
    "git_server" "gitlab" ["gitlab-runsvdir"] [] ["gitlab-ce" "gitlab-ee"]
    "git_server" "gitea" ["gitea" "forgejo"] ["gitea" "forgejo"] ["gitea" "forgejo"]
    "desktop" "gnome" ["gdm" "gdm3"] ["gdm3"] ["gdm3" "gnome-shell"]
    "desktop" "kde" ["sddm"] ["sddm"] ["sddm" "plasma-desktop"]
    "desktop" "lightdm" ["lightdm"] ["lightdm"] ["lightdm"]
    "management_server" "sysmanage" ["sysmanage"] ["sysmanage"] ["sysmanage"]
    "ssh_server" "openssh" ["ssh" "sshd"] ["sshd"] ["openssh-server"]
}
