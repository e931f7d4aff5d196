import type { Migrations } from '../backbone/index.ts';
import { livenessMigrations } from './liveness-store.ts';
import { quarantineMigrations } from './quarantine-tables.ts';

/** The tables of this folder. */
export const ingestMigrations: Migrations = { ...quarantineMigrations, ...livenessMigrations };
