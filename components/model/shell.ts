/** A word for a POSIX shell. */
export const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** The command as root, for whoever logs in: another user needs sudo without a password. */
export const asRoot = (user: string, command: string) =>
  user === "root" ? command : `sudo -n sh -c ${quote(command)}`;
