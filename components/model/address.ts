/** An address of a /24 network by its last number. */
export function hostAddress(subnet: string, last: number): string {
  return subnet.replace(/\.0\/24$/, `.${last}`);
}

/** The address in Docker's /16 pool at which containers find PgBouncer and Redis: the first one. */
export function serviceAddressIn(pool: string): string {
  return pool.replace(/\.0\.0\/16$/, ".0.1");
}
