/** Why a request that changes something is taken for forged; null = it is not. */
export type OriginRefusal = 'cross-site' | 'other-origin';

export interface OriginHeaders {
  origin?: string | undefined;
  host?: string | undefined;
  'sec-fetch-site'?: string | string[] | undefined;
}

/**
 * Cross-site request forgery, besides the cookie's SameSite=Strict. Browsers say where a request comes from
 * (Sec-Fetch-Site, else Origin) and pages cannot forge that; programs that say nothing carry no victim's cookie.
 */
export function originRefusal(headers: OriginHeaders, publicUrl: string): OriginRefusal | null {
  const site = headers['sec-fetch-site'];
  if (typeof site === 'string') return site === 'same-origin' || site === 'none' ? null : 'cross-site';
  if (headers.origin === undefined) return null;
  const from = hostOf(headers.origin);
  return from !== null && (from === headers.host || from === hostOf(publicUrl)) ? null : 'other-origin';
}

/** A page elsewhere may point its own name at this machine (DNS rebinding): the demo answers to loopback names only. */
export function isLoopbackHost(host: string | undefined): boolean {
  if (host === '::1') return true;
  const name = host?.replace(/:\d+$/, '') ?? '';
  return name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}

export function isLoopbackAddress(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(address ?? '');
}

function hostOf(url: string): string | null {
  try {
    return new URL(url).host;
  } catch {
    return null;
  }
}
