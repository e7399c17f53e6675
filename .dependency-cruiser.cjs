// Who may import whom. `npm run check` runs it; each rule's comment is what its breach prints.
module.exports = {
  forbidden: [
    {
      name: "components-never-import-scripts",
      comment: "components reach the command line as a process only (components/command-line.ts)",
      severity: "error",
      from: { path: "^components/" },
      to: { path: "^scripts/" },
    },
    {
      name: "scripts-import-plain-components-only",
      comment:
        "of components, scripts import model/, render.ts files and the runbook, nothing that talks to Pulumi or to a host",
      severity: "error",
      from: { path: "^scripts/" },
      to: { path: "^components/", pathNot: ["^components/model/", "/render\\.ts$", "^components/runbook\\.ts$"] },
    },
    {
      name: "scripts-import-plain-stacks-only",
      comment: "of stacks, scripts import config.ts and checks.ts, not the program",
      severity: "error",
      from: { path: "^scripts/" },
      to: { path: "^stacks/", pathNot: "^stacks/((hosts|aliyun)-)?(config|checks)\\.ts$" },
    },
    {
      name: "plain-code-never-reaches-pulumi",
      comment:
        "model, renders and the configuration are plain functions: neither they nor what they import touch Pulumi",
      severity: "error",
      from: {
        path: ["^components/model/", "^components/.*/?render\\.ts$", "^stacks/((hosts|aliyun)-)?(config|checks)\\.ts$"],
      },
      to: { path: "(^|/)node_modules/@pulumi/", reachable: true },
    },
    {
      name: "commands-never-reach-pulumi",
      comment: "the command line works without the Pulumi SDK, which takes half a second to load",
      severity: "error",
      from: { path: "^scripts/(harbor-ha\\.ts|commands/|cluster/|roll/|agent/)" },
      to: { path: "(^|/)node_modules/@pulumi/", reachable: true },
    },
    {
      name: "host-programs-need-few-packages",
      comment: "programs on the hosts are one small file each: of npm packages, pg, zod and aws4fetch only",
      severity: "error",
      from: { path: ["^components/apply/host/", "^scripts/agent/"] },
      to: {
        path: "(^|/)node_modules/",
        pathNot: "(^|/)node_modules/(@types/)?(pg|zod|aws4fetch|node)/",
        reachable: true,
      },
    },
    {
      name: "product-never-imports-test",
      comment: "only the lab's fallback installer comes from test/ (scripts/lab/installer.ts)",
      severity: "error",
      from: { path: "^(stacks|components|scripts)/", pathNot: "^scripts/lab/installer\\.ts$" },
      to: { path: "^test/" },
    },
    {
      name: "no-circles",
      comment: "two modules that import each other are one module",
      severity: "error",
      from: { path: "^(stacks|components|scripts)/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "not-resolvable",
      comment: "the import leads nowhere",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // Types are dependencies too, except where a rule says otherwise.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
