/**
 * Pictures that a finding rests on: the untouched original, with zone and boxes as a layer of its own over it, and the
 * strip of evidence frames. Boxes are in pixels of the original, whatever size it is shown in.
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Detection, Finding, FrameEvidence } from '../../../contracts/index.ts';
import { blobUrl } from '../api/client.ts';
import { useTexts } from '../i18n/index.ts';
import { clockTime, fullTime, percent } from '../text/format.ts';
import { Icon } from '../ui/icons.tsx';
import { Loading, Panel, Time } from '../ui/parts.tsx';

/** All frames of the findings in the order of their times, each picture once. */
export function framesOf(findings: readonly Finding[]): FrameEvidence[] {
  const byBlob = new Map<string, FrameEvidence>();
  for (const finding of findings) for (const frame of finding.input.frames) byBlob.set(frame.blob, frame);
  return [...byBlob.values()].sort((a, b) => a.time - b.time);
}

/** The proof is the frame in the middle of three, or the last of two. */
function roleOf(index: number, total: number) {
  if (total === 1) return 'picture.single' as const;
  if (index === 0) return 'picture.first' as const;
  if (index === total - 1 && total > 2) return 'picture.latest' as const;
  return 'picture.proof' as const;
}

export function PicturePanel({ findings, name }: { findings: readonly Finding[]; name: string }) {
  const { t } = useTexts();
  const frames = useMemo(() => framesOf(findings), [findings]);
  /** Tracks that the alert is about; everything else on the picture is only there too. */
  const tracks = useMemo(() => new Set(findings.map((finding) => finding.track)), [findings]);
  const [chosen, setChosen] = useState<string | null>(null);
  const [overlay, setOverlay] = useState(true);
  const proof = frames[frames.length > 2 ? 1 : frames.length - 1];
  const frame = frames.find((candidate) => candidate.blob === chosen) ?? proof;
  if (frame === undefined) return null;
  return (
    <Panel
      title={t('picture.title')}
      class="picture-panel"
      aside={
        <>
          <span class="dim">{name}</span>
          <label class="switch">
            <input
              type="checkbox"
              checked={overlay}
              onChange={(event) => setOverlay(event.currentTarget.checked)}
            />
            {t('picture.boxes')}
          </label>
        </>
      }
    >
      <Picture key={frame.blob} frame={frame} tracks={tracks} name={name} overlay={overlay} />
      <p class="picture-foot">
        <Time at={frame.time}>{fullTime(frame.time)}</Time>
        <span class="hash" title={`${t('picture.hash')} ${frame.blob}`}>
          SHA-256 {frame.blob.slice(0, 16)}…
        </span>
        <a href={blobUrl(frame.blob)} target="_blank" rel="noreferrer">
          <Icon name="open" /> {t('picture.original')}
        </a>
      </p>
      {frames.length > 1 && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset is for input, these choose a view
        <div class="strip" role="group" aria-label={t('picture.strip')}>
          {frames.map((candidate, i) => (
            <button
              key={candidate.blob}
              type="button"
              aria-pressed={candidate.blob === frame.blob}
              onClick={() => setChosen(candidate.blob)}
            >
              <img src={blobUrl(candidate.blob)} alt="" loading="lazy" />
              <span>{t(roleOf(i, frames.length))}</span>
              <Time at={candidate.time}>{clockTime(candidate.time)}</Time>
            </button>
          ))}
        </div>
      )}
    </Panel>
  );
}

type Tracks = ReadonlySet<number | undefined>;

interface PictureProps {
  frame: FrameEvidence;
  tracks: Tracks;
  name: string;
  overlay: boolean;
}

function Picture({ frame, tracks, name, overlay }: PictureProps) {
  const { t } = useTexts();
  const image = useRef<HTMLImageElement>(null);
  const [size, setSize] = useState<{ width: number; height: number } | 'loading' | 'failed'>('loading');
  const alt = t('picture.alt', { device: name, time: fullTime(frame.time), n: frame.detections.length });
  useEffect(() => {
    // A picture from the cache may be complete before the listener is there.
    const element = image.current;
    if (element?.complete && element.naturalWidth > 0)
      setSize({ width: element.naturalWidth, height: element.naturalHeight });
  }, []);
  return (
    <div class="picture" data-testid="picture">
      {size === 'loading' && <Loading text={t('picture.loading')} />}
      {size === 'failed' && <div class="note failure">{t('picture.failed')}</div>}
      <img
        ref={image}
        src={blobUrl(frame.blob)}
        alt={alt}
        hidden={size === 'failed'}
        onLoad={(event) =>
          setSize({ width: event.currentTarget.naturalWidth, height: event.currentTarget.naturalHeight })
        }
        onError={() => setSize('failed')}
      />
      {typeof size === 'object' && overlay && <Overlay frame={frame} tracks={tracks} {...size} />}
    </div>
  );
}

/** Zone and boxes, in the picture's own pixels; lines and words keep their size on the screen. */
interface OverlayProps {
  frame: FrameEvidence;
  tracks: Tracks;
  width: number;
  height: number;
}

function Overlay({ frame, tracks, width, height }: OverlayProps) {
  const { t, word } = useTexts();
  const svg = useRef<SVGSVGElement>(null);
  const [perPixel, setPerPixel] = useState(1);
  useLayoutEffect(() => {
    const element = svg.current;
    if (element === null) return;
    const measure = (): void => setPerPixel(width / Math.max(1, element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [width]);
  const zoneAt = frame.zone?.reduce((top, point) => (point[1] < top[1] ? point : top));
  return (
    <svg
      ref={svg}
      class="overlay"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {frame.zone !== undefined && (
        <polygon class="zone" points={frame.zone.map((point) => point.join(',')).join(' ')} />
      )}
      {zoneAt !== undefined && (
        <Tag
          text={t('picture.zone')}
          x={zoneAt[0]}
          y={zoneAt[1]}
          scale={perPixel}
          width={width}
          kind="zone"
        />
      )}
      {frame.detections.map((detection) => (
        <Box
          key={detection.box.join()}
          detection={detection}
          meant={tracks.has(detection.track)}
          scale={perPixel}
          width={width}
          label={`${word('class', detection.class)} ${percent(detection.score)}`}
        />
      ))}
    </svg>
  );
}

function Box({
  detection,
  meant,
  scale,
  width,
  label,
}: {
  detection: Detection;
  /** The alert is about this one. */
  meant: boolean;
  scale: number;
  width: number;
  label: string;
}) {
  const [x, y, w, h] = detection.box;
  return (
    <g class={meant ? '' : 'aside'}>
      <rect class="box" x={x} y={y} width={w} height={h} data-class={detection.class} />
      <Tag text={label} x={x} y={y} scale={scale} width={width} kind="box" />
    </g>
  );
}

/** A word on its own ground, above the point, or below it at the picture's upper edge; never beyond the right edge. */
function Tag({
  text,
  x,
  y,
  scale,
  width,
  kind,
}: {
  text: string;
  x: number;
  y: number;
  scale: number;
  width: number;
  kind: string;
}) {
  const wide = [...text].reduce((sum, sign) => sum + (sign.charCodeAt(0) > 0x2e80 ? 12 : 6.8), 10) * scale;
  const high = 18 * scale;
  const left = Math.max(0, Math.min(x, width - wide));
  const top = y >= high ? y - high : y;
  return (
    <g class={`overlay-tag ${kind}`}>
      <rect x={left} y={top} width={wide} height={high} />
      <text x={left + 5 * scale} y={top + 13 * scale} font-size={12 * scale}>
        {text}
      </text>
    </g>
  );
}
