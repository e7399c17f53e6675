/** What a host says about itself when a doctor asks: read once, slower than the facts of every command. */
export interface Examination {
  /** Files that are not as `apply` wrote them. */
  drift: { path: string; service: string; is: "changed" | "missing" }[];
  /** Packages that should be held and are not. */
  unheld: string[];
  /** Fingerprints of what both nodes must have alike: secrets, programs, Harbor's settings. */
  fingerprints: Record<string, string>;
  /** Days until each certificate expires, by path. */
  certificates: Record<string, number>;
  /** Use of each local file system as a fraction, by mount point. */
  disks: Record<string, number>;
  /** Days until each growing file system is full, at the pace of the last two weeks, by mount point. */
  daysUntilFull?: Record<string, number>;
  /** Seconds since 1970 by its clock. */
  clock: number;
  /** Most WAL in bytes that PostgreSQL keeps for a standby that is away; absent where it does not run here. */
  maxSlotWalKeepBytes?: number;
  /** Why Harbor on this node could not write to its database; empty: it can. */
  write: string;
  /** Harbor's own verdict on its components that are not healthy: name → error. */
  components: Record<string, string>;
  /** Former data directories of a rejoin that did not end. */
  leftovers: string[];
}
