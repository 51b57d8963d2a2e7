/** The rooms of the house (docs/architecture.md): who may import whom. */
const room = (name, ...allowed) => ({
  name: `${name}-imports`,
  severity: 'error',
  comment: `${name}/ may import only itself${allowed.length ? ' and ' + allowed.join(', ') : ''}`,
  from: { path: `^${name}/` },
  to: {
    path: '^(api|worker|shared|assets|infra|loadtest|cli|sdk|e2e|bench)/',
    pathNot: `^(${[name, ...allowed].join('|')})/`,
  },
});
const sdk = (name, pattern, ...owners) => ({
  name,
  severity: 'error',
  comment: 'a vendor SDK is imported in one file per driver',
  from: { pathNot: [`^(${owners.join('|')})`, '^node_modules'] },
  to: { path: pattern },
});
module.exports = {
  forbidden: [
    room('shared'),
    room('api', 'shared'),
    room('worker', 'shared'),
    room('assets', 'shared'),
    // Of api and cli, what is generated from them.
    room('infra', 'shared', 'assets', 'sdk', 'api/description', 'cli/reference'),
    room('loadtest', 'shared', 'sdk'),
    // A platform of its own (e2e) and figures (loadtest); of a worker, what makes ready and is never inside a raw figure.
    room('bench', 'shared', 'sdk', 'infra', 'e2e', 'loadtest', 'worker/(images|network|guest|node)'),
    room('sdk'),
    room('cli', 'sdk'),
    sdk('aws-sdk-in-driver', 'node_modules/@aws-sdk/', 'shared/object-store/s3/'),
    sdk('gcs-sdk-in-driver', 'node_modules/@google-cloud/', 'shared/object-store/gcs/'),
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'not-to-test',
      severity: 'error',
      from: { pathNot: '(\\.test\\.ts$|^e2e/|conformance\\.ts$)' },
      to: { path: '\\.test\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(node_modules|\\.dormouse|\\.cache)/.*' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
