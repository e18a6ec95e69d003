// The package's export `./local`.

export type { FaultHandle, Faults } from '../recovery/drill/faults.ts';
export type { LogLine } from './functions/logs.ts';
export { type LocalSystem, type LocalSystemOptions, startLocalSystem } from './system.ts';
