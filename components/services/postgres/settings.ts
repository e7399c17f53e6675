/**
 * The PostgreSQL 17 settings that only a restart changes (context `postmaster` in pg_settings); the lab test compares
 * this list with a running server's.
 */
export const restartSettings: ReadonlySet<string> = new Set(
  `archive_mode autovacuum_freeze_max_age autovacuum_max_workers autovacuum_multixact_freeze_max_age bonjour bonjour_name
  cluster_name commit_timestamp_buffers config_file data_directory data_sync_retry debug_io_direct
  dynamic_shared_memory_type event_source external_pid_file hba_file hot_standby huge_page_size huge_pages ident_file
  ignore_invalid_pages jit_provider listen_addresses logging_collector max_connections max_files_per_process
  max_locks_per_transaction max_logical_replication_workers max_notify_queue_pages max_pred_locks_per_transaction
  max_prepared_transactions max_replication_slots max_wal_senders max_worker_processes min_dynamic_shared_memory
  multixact_member_buffers multixact_offset_buffers notify_buffers old_snapshot_threshold port recovery_target
  recovery_target_action recovery_target_inclusive recovery_target_lsn recovery_target_name recovery_target_time
  recovery_target_timeline recovery_target_xid reserved_connections serializable_buffers shared_buffers
  shared_memory_type shared_preload_libraries subtransaction_buffers summarize_wal superuser_reserved_connections
  track_activity_query_size track_commit_timestamp transaction_buffers unix_socket_directories unix_socket_group
  unix_socket_permissions wal_buffers wal_decode_buffer_size wal_level wal_log_hints`.split(/\s+/),
);

/**
 * Settings the toolkit owns, because replication and failover rest on them; with them the directives that would read
 * settings from elsewhere.
 */
export const ownedSettings: ReadonlySet<string> = new Set([
  "allow_alter_system",
  "archive_cleanup_command",
  "archive_command",
  "archive_library",
  "archive_mode",
  "cluster_name",
  "config_file",
  "data_directory",
  "hba_file",
  "external_pid_file",
  "hot_standby",
  "ident_file",
  "include",
  "include_dir",
  "include_if_exists",
  "listen_addresses",
  "max_connections",
  "max_slot_wal_keep_size",
  "password_encryption",
  "port",
  "primary_conninfo",
  "primary_slot_name",
  "recovery_end_command",
  "recovery_min_apply_delay",
  "recovery_target",
  "recovery_target_action",
  "recovery_target_inclusive",
  "recovery_target_lsn",
  "recovery_target_name",
  "recovery_target_time",
  "recovery_target_timeline",
  "recovery_target_xid",
  "restore_command",
  "shared_buffers",
  "ssl",
  "ssl_cert_file",
  "ssl_key_file",
  "synchronous_commit",
  "synchronous_standby_names",
  "unix_socket_directories",
  "wal_level",
  "wal_log_hints",
  "fsync",
  "full_page_writes",
]);
