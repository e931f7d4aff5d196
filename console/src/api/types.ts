/**
 * The answers of the product's HTTP API that are no records of `contracts/`. Types only: nothing of ours but the API
 * reaches the browser. Where the two meet, the shapes of `contracts/` are used unchanged.
 */
import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import type {
  Alert,
  Assignment,
  BiText,
  DraftCase,
  Finding,
  LeadState,
  Limit,
  Matter,
  Quality,
  RegisteredDevice,
  Unit,
} from '../../../contracts/index.ts';

export type Role = 'duty-officer' | 'reviewer' | 'supervisor' | 'administrator';

/** Who is signed in. `clock` tells the product's time when it does not run with the wall clock (the demo). */
export interface Session {
  user: string;
  name: string;
  roles: Role[];
  unit: string | null;
  demo: boolean;
  clock?: { now: number; speed: number; utcOffsetMinutes?: number };
}

export interface Page<T> {
  items: T[];
  /** Cursor for `before`; null = this was the last page. */
  next: string | null;
}

export interface AlertDetail {
  alert: Alert;
  findings: Finding[];
  device: RegisteredDevice | null;
  draftCase: DraftCase | null;
}

/** A row of the outbox: a confirmed draft case on its way to the responsible unit's case system. */
export interface LeadRow {
  id: string;
  draftCase: string;
  unit: string;
  state: LeadState;
  attempts: number;
  nextTryAt: number | null;
  deliveredAt: number | null;
  lastError: string | null;
  receipt: unknown;
}

export interface Evidence {
  items: EvidenceItem[];
  /** What the stores no longer hold. */
  missing?: string[];
  /** Confirmed: the list will not change any more. */
  frozen?: boolean;
}

export interface EvidenceItem {
  name: string;
  mediaType: string;
  sha256: string;
  bytes: number;
  url: string;
}

/** Counts of the whole way since the product's first start. */
export interface Counts {
  observations: { acknowledged: number; stored: number };
  frames: number;
  quarantined: number;
  findings: Record<string, number>;
  alerts: Record<string, number>;
  alertsOpen: number;
  drafts: Record<string, number>;
  draftsOpen: number;
  leads: { delivered: number; pending: number; failed: number };
  /** Records that each consumer group is behind. */
  lag: Record<string, number>;
}

export interface SeriesPoint {
  time: number;
  value: number;
  quality: Quality;
}

export interface Series {
  datastream: string;
  unit: string | null;
  points: SeriesPoint[];
}

export interface AreaProperties {
  id: string;
  name: BiText;
  region: string;
}

export type Areas = FeatureCollection<Polygon | MultiPolygon, AreaProperties>;

export interface CatalogView {
  matters: Matter[];
  units: Unit[];
  areas: Areas;
  limits: Limit[];
  assignments: Assignment[];
  version: string;
}

/** The body of every refusal. */
export interface ErrorBody {
  error: { code: string; message: string; problems?: { path: string; found: unknown; allowed: string }[] };
}
