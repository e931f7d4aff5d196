/** A picture with a known box: a fire lane by night with a van in it. Drawn here, so that the overlay can be checked to the pixel. */
import { createHash } from 'node:crypto';
import sharp from 'sharp';

export const SCENE = {
  width: 1280,
  height: 720,
  /** Left, top, width, height. */
  van: [560, 330, 300, 190] as [number, number, number, number],
  zone: [
    [250, 360],
    [1150, 360],
    [1240, 700],
    [120, 700],
  ] as [number, number][],
};

const svg = (vanX: number): string => {
  const [, y, w, h] = SCENE.van;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720">
    <rect width="1280" height="720" fill="#59636b"/>
    <rect width="1280" height="250" fill="#2c3a49"/>
    <g fill="#77695a"><rect x="0" y="70" width="420" height="240"/><rect x="900" y="40" width="380" height="270"/></g>
    <g fill="#e8c878">${Array.from({ length: 8 }, (_, i) => `<rect x="${30 + (i % 4) * 95}" y="${95 + Math.floor(i / 4) * 90}" width="52" height="46"/>`).join('')}</g>
    <g fill="#cbb58a">${Array.from({ length: 6 }, (_, i) => `<rect x="${930 + (i % 3) * 115}" y="${75 + Math.floor(i / 3) * 100}" width="64" height="54"/>`).join('')}</g>
    <path d="M250 360L1150 360L1240 700L120 700Z" fill="#4a5259" stroke="#d9b84a" stroke-width="7"/>
    <text x="430" y="650" font-size="86" fill="#d9b84a" font-family="Noto Sans CJK SC, sans-serif" letter-spacing="40">消防车通道</text>
    <g transform="translate(${vanX} ${y})">
      <ellipse cx="${w / 2}" cy="${h - 8}" rx="${w / 2}" ry="14" fill="#23282c"/>
      <path d="M6 ${h - 30}V40Q8 6 44 4H200Q236 6 262 70L294 92V${h - 30}Z" fill="#dfe4e8"/>
      <path d="M190 20H206Q226 24 244 74H190Z" fill="#36516b"/><rect x="36" y="24" width="66" height="48" rx="6" fill="#36516b"/><rect x="112" y="24" width="66" height="48" rx="6" fill="#36516b"/>
      <g fill="#1c1f22"><circle cx="66" cy="${h - 30}" r="29"/><circle cx="232" cy="${h - 30}" r="29"/></g><g fill="#9aa4ac"><circle cx="66" cy="${h - 30}" r="12"/><circle cx="232" cy="${h - 30}" r="12"/></g>
    </g></svg>`;
};

/** The JPEG with the van moved by `shift` pixels, and the SHA-256 that names it. */
export async function makeScene(shift = 0): Promise<{ bytes: Buffer; sha256: string }> {
  const bytes = await sharp(Buffer.from(svg(SCENE.van[0] + shift)))
    .jpeg({ quality: 82 })
    .toBuffer();
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
