// Reads a CDK cloud assembly: its stacks in deployment order and the folders of its file assets. Nested assemblies
// (stages) are flattened. Reads files only; nothing is changed.

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EventRecoveryError } from '../../model/errors.ts';
import type { Template } from '../template/template.ts';

export interface AssemblyStack {
  /** Artifact id: unique in the assembly. */
  id: string;
  stackName: string;
  template: Template;
}

export interface Assembly {
  directory: string;
  /** A stack comes after every stack that it depends on. */
  stacks: AssemblyStack[];
  /** Folder (or file) of a file asset by its hash. */
  assets: ReadonlyMap<string, string>;
}

interface Artifact {
  type: string;
  dependencies?: string[];
  properties?: { templateFile?: string; stackName?: string; file?: string; directoryName?: string };
}

interface AssetManifest {
  files?: Record<string, { source: { path?: string; packaging?: string } }>;
}

/** @throws EventRecoveryError `LOCAL_NO_ASSEMBLY` when the folder holds none. */
export function readAssembly(directory: string): Assembly {
  const manifestFile = join(directory, 'manifest.json');
  if (!existsSync(manifestFile)) {
    throw new EventRecoveryError(
      'LOCAL_NO_ASSEMBLY',
      `no cloud assembly in ${directory}: manifest.json is missing; remedy: npx cdk synth --output ${directory}`,
      { facts: { directory } },
    );
  }
  const artifacts = (readJson(manifestFile) as { artifacts?: Record<string, Artifact> }).artifacts ?? {};
  const assets = new Map<string, string>();
  const stacks: AssemblyStack[] = [];
  for (const id of inDependencyOrder(artifacts)) {
    const artifact = artifacts[id] as Artifact;
    if (artifact.type === 'cdk:asset-manifest') readAssets(directory, artifact.properties?.file ?? '', assets);
    if (artifact.type === 'cdk:cloud-assembly') {
      const nested = readAssembly(join(directory, artifact.properties?.directoryName ?? ''));
      stacks.push(...nested.stacks);
      for (const [hash, path] of nested.assets) assets.set(hash, path);
    }
    if (artifact.type === 'aws:cloudformation:stack') {
      const template = readJson(join(directory, artifact.properties?.templateFile ?? '')) as Template;
      stacks.push({ id, stackName: artifact.properties?.stackName ?? id, template });
    }
  }
  return { directory, stacks, assets };
}

function readAssets(directory: string, file: string, assets: Map<string, string>): void {
  const manifest = readJson(join(directory, file)) as AssetManifest;
  for (const [hash, asset] of Object.entries(manifest.files ?? {})) {
    if (asset.source.path !== undefined) assets.set(hash, resolve(directory, asset.source.path));
  }
}

/** Artifact ids so that each comes after its dependencies; ties keep the order of the file. */
function inDependencyOrder(artifacts: Readonly<Record<string, Artifact>>): string[] {
  const order = new Set<string>();
  const visit = (id: string): void => {
    const artifact = artifacts[id];
    if (order.has(id) || artifact === undefined) return;
    for (const dependency of artifact.dependencies ?? []) visit(dependency);
    order.add(id);
  };
  for (const id of Object.keys(artifacts)) visit(id);
  return [...order];
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
