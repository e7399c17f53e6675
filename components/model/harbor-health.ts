/** Components that Harbor's own health check, given as it answers, does not call healthy: name → its error. @throws if it is no JSON. */
export function sickIn(health: string): Record<string, string> {
  const { components = [] }: { components?: { name: string; status: string; error?: string }[] } = JSON.parse(health);
  const sick = components.filter(({ status }) => status !== "healthy");
  return Object.fromEntries(sick.map(({ name, status, error }) => [name, error || status]));
}
