/** Files that make a fresh Debian system a lab host; the same for every host. */

/** Before the first package is unpacked: no waiting for the disk, and nothing nobody reads in a lab. */
export const dpkgFiles: Record<string, string> = {
  "etc/dpkg/dpkg.cfg.d/lab": `# A lab host: its file system may be lost with the machine.
force-unsafe-io
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-include=/usr/share/locale/locale.alias
`,
};

export const systemFiles: Record<string, string> = {
  "etc/apt/apt.conf.d/80lab": `APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
`,
  "etc/ssh/sshd_config.d/lab.conf": `HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
`,
  "etc/systemd/journald.conf.d/lab.conf": `[Journal]
Storage=persistent
SystemMaxUse=64M
`,
  "etc/default/locale": "LANG=C.UTF-8\n",
  "etc/fstab": "",
};

/** Nobody sits at the console, the kernel's modules are the machine's, and nothing takes apt's lock unasked. */
export const maskedUnits = [
  "console-getty.service",
  "systemd-modules-load.service",
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
  "fstrim.timer",
  "e2scrub_all.timer",
  "systemd-networkd-wait-online.service",
];

export const enabledUnits: Record<string, string> = {
  "systemd-networkd.service": "multi-user.target.wants",
  "ssh.service": "multi-user.target.wants",
};

export const basePackages = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "openssh-server",
  "iproute2",
  "iputils-ping",
  "procps",
  "ca-certificates",
  "sudo",
];

/** Directories the hosts' mounts land on. */
export const mountPoints = ["var/lib/docker", "var/lib/postgresql", "mnt/harbor-ha"];

/** What must differ from host to host, or is of no use any more. */
export const removed = ["etc/machine-id", "etc/hostname", "etc/resolv.conf", "var/lib/dbus/machine-id"];
