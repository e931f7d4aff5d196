/**
 * The district as plain SVG: jurisdictions, devices as dots by state, active alerts pulsing. No tiles, no other host.
 * All devices without an alert are one path, so that ten thousand of them are one element.
 */
import { useMemo, useState } from 'preact/hooks';
import type { Alert, RegisteredDevice, Severity } from '../../../contracts/index.ts';
import { useTexts } from '../i18n/index.ts';
import { alerts, catalog, catalogLoading, devices, loadAll } from '../state/desk.ts';
import { rings } from '../state/places.ts';
import { openAlert } from '../state/route.ts';
import { useStore } from '../state/store.ts';
import { Failure, Loading } from '../ui/parts.tsx';
import { type Plane, planeOf } from './project.ts';

const RANK: Record<Severity, number> = { info: 0, watch: 1, warning: 2, violation: 3 };
/** More marks than this would hide each other; the list has them all. */
const MAX_MARKS = 300;

/** By device id: its gravest active alert, newest first among equals. */
function gravest(all: readonly Alert[]): Map<string, Alert> {
  const byDevice = new Map<string, Alert>();
  for (const alert of all) {
    if (alert.state === 'resolved') continue;
    const known = byDevice.get(alert.device);
    if (known === undefined || RANK[alert.severity] > RANK[known.severity]) byDevice.set(alert.device, alert);
  }
  return byDevice;
}

const isQuiet = (alert: Alert): boolean => alert.kind === 'device-silent' || alert.kind === 'device-fault';

/** Many dots as one path: lines of no length with round ends. */
const dots = (plane: Plane, list: readonly RegisteredDevice[]): string =>
  list
    .map((device) => {
      const [x, y] = plane.at(device.location);
      return `M${x.toFixed(1)} ${y.toFixed(1)}h0`;
    })
    .join('');

export function DistrictMap({ small = false, focus = null }: { small?: boolean; focus?: string | null }) {
  const { t } = useTexts();
  const places = useStore(catalog);
  const loading = useStore(catalogLoading);
  const deviceMap = useStore(devices);
  const { book, version } = useStore(alerts);
  const [near, setNear] = useState<RegisteredDevice | null>(null);
  const active = useMemo(() => gravest(book.all()), [book, version]);
  const plane = useMemo(
    () =>
      places === null
        ? null
        : planeOf(
            places.areas,
            [...deviceMap.values()].map((device) => device.location),
          ),
    [places, deviceMap],
  );
  if (places === null || plane === null) {
    return (
      <div class={`map ${small ? 'small' : ''}`}>
        {loading.state === 'failed' ? (
          <Failure error={loading.error} retry={loadAll} />
        ) : (
          <Loading text={t('map.loading')} />
        )}
      </div>
    );
  }
  const list = [...deviceMap.values()];
  const normal = list.filter((device) => !active.has(device.id));
  const marks = [...active.values()].sort((a, b) => RANK[a.severity] - RANK[b.severity]).slice(-MAX_MARKS);
  const focused = focus === null ? undefined : book.get(focus);

  /** The device next to the pointer, to tell its name. */
  const look = (event: PointerEvent & { currentTarget: SVGSVGElement }): void => {
    const matrix = event.currentTarget.getScreenCTM();
    if (matrix === null) return;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    let best: RegisteredDevice | null = null;
    let closest = (14 / matrix.a) ** 2;
    for (const device of list) {
      const [dx, dy] = plane.at(device.location);
      const distance = (dx - x) ** 2 + (dy - y) ** 2;
      if (distance < closest) {
        closest = distance;
        best = device;
      }
    }
    setNear(best);
  };
  return (
    <figure class={`map ${small ? 'small' : ''}`} data-testid="map">
      <svg
        viewBox={`0 0 ${plane.width} ${plane.height.toFixed(0)}`}
        role="img"
        aria-label={t('map.label', { devices: list.length, alerts: active.size })}
        onPointerMove={look}
        onPointerLeave={() => setNear(null)}
      >
        <Areas plane={plane} small={small} />
        {!small && <ScaleBar plane={plane} />}
        <path class="device ok" d={dots(plane, normal)} />
        {marks.map((alert) => (
          <Mark
            key={alert.device}
            alert={alert}
            plane={plane}
            faded={focused !== undefined && alert.device !== focused.device}
          />
        ))}
        {focused !== undefined && <Crosshair at={plane.at(focused.location)} />}
      </svg>
      <figcaption>{near === null ? <MapKey devices={list.length} /> : <NearName device={near} />}</figcaption>
    </figure>
  );
}

function NearName({ device }: { device: RegisteredDevice }) {
  const { bi } = useTexts();
  return (
    <span>
      {bi(device.name)} <code>{device.id}</code>
    </span>
  );
}

function MapKey({ devices: n }: { devices: number }) {
  const { t } = useTexts();
  return (
    <>
      <span>{t('map.devices', { n })}</span>
      <span class="key ok">{t('map.device.ok')}</span>
      <span class="key quiet">{t('map.device.silent')}</span>
      <span class="key alerting">{t('map.device.alerting')}</span>
    </>
  );
}

/** The widest area first, so that streets lie on the district. */
function Areas({ plane, small }: { plane: Plane; small: boolean }) {
  const { bi } = useTexts();
  const areas = useStore(catalog)?.areas.features ?? [];
  const ordered = [...areas].sort((a, b) => a.properties.region.length - b.properties.region.length);
  const finest = Math.max(0, ...areas.map((area) => area.properties.region.length));
  return (
    <g>
      {ordered.map((area) => {
        const polygons = rings(area.geometry);
        const path = polygons
          .flat()
          .map(
            (ring) =>
              `M${ring
                .map(([lon = 0, lat = 0]) =>
                  plane
                    .at([lon, lat])
                    .map((n) => n.toFixed(1))
                    .join(' '),
                )
                .join('L')}Z`,
          )
          .join('');
        const points = (polygons[0]?.[0] ?? []).map(([lon = 0, lat = 0]) => plane.at([lon, lat]));
        const left = Math.min(...points.map(([x]) => x));
        const top = Math.min(...points.map(([, y]) => y));
        const leaf = area.properties.region.length === finest;
        return (
          <g key={area.properties.id}>
            <path class={leaf ? 'area leaf' : 'area'} d={path} />
            {leaf && !small && (
              <text class="area-name" x={left + 16} y={top + 34}>
                {bi(area.properties.name)}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

function Mark({ alert, plane, faded }: { alert: Alert; plane: Plane; faded: boolean }) {
  const { t, bi } = useTexts();
  const [x, y] = plane.at(alert.location);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a short cut for the pointer only
    <g
      class={`mark ${alert.severity} ${isQuiet(alert) ? 'quiet' : ''} ${faded ? 'faded' : ''}`}
      transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}
      onClick={() => openAlert(alert.id)}
    >
      <title>{`${t(`kind.${alert.kind}`)} · ${bi(alert.summary)}`}</title>
      {alert.state === 'open' && !faded && <circle class="pulse" r="12" />}
      <circle class="core" r="9" />
    </g>
  );
}

function ScaleBar({ plane }: { plane: Plane }) {
  const km = [50, 20, 10, 5, 2, 1, 0.5].find((length) => length * plane.perKm < plane.width / 4) ?? 0.2;
  const long = km * plane.perKm;
  return (
    <g
      class="scale-bar"
      transform={`translate(${plane.width - 46 - long} ${(plane.height - 46).toFixed(0)})`}
    >
      <path d={`M0 -8V0H${long.toFixed(1)}V-8`} />
      <text x={long / 2} y="-12">
        {km} km
      </text>
    </g>
  );
}

const Crosshair = ({ at: [x, y] }: { at: [number, number] }) => (
  <g class="crosshair" transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}>
    <circle r="22" />
    <path d="M0 -38V-26M0 26V38M-38 0H-26M26 0H38" />
  </g>
);
