import { hashPassword, query } from "./database.ts";
import type { Exchange } from "./exchange.ts";

/** The user's name when the request carries right credentials; wrong or no credentials are anonymous. */
export async function authenticate(exchange: Exchange): Promise<string | undefined> {
  const given = exchange.credentials();
  if (!given) return exchange.sessionUser;
  return (await checkPassword(given.user, given.password)) ? given.user : undefined;
}

export async function checkPassword(user: string, password: string) {
  const [row] = await query<{ salt: string; password: string }>(
    "select salt, password from harbor_user where username = $1",
    [user],
  );
  return row !== undefined && hashPassword(password, row.salt) === row.password;
}

export async function projectsByName() {
  const rows = await query<{ name: string; public: boolean }>("select name, public from project");
  return new Map(rows.map((row) => [row.name, row]));
}
