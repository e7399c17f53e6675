/** An address of a /24 network by its last number. */
export function hostAddress(subnet: string, last: number): string {
  return subnet.replace(/\.0\/24$/, `.${last}`);
}
