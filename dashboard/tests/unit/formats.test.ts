import { describe, expect, it } from "vitest";
import {
  average,
  exact,
  figure,
  money,
  multiple,
  NOTHING,
  percent,
  plain,
  signOf,
} from "../../src/format/numbers";
import { duration, localTime, millis, utcTime } from "../../src/format/times";

describe("money and prices", () => {
  it("keeps every digit of a price, and adds none", () => {
    expect(exact("0.00000123", "en")).toBe("0.00000123");
    expect(exact("68412.30", "en")).toBe("68,412.30");
    expect(exact("12345678901234567890.123456789", "en")).toBe("12,345,678,901,234,567,890.123456789");
    expect(exact("-7", "en")).toBe("−7");
  });

  it("drops the padding of an average price, and no digit that says something", () => {
    expect(average("58724.0000", "en")).toBe("58,724");
    expect(average("2398.83000", "en")).toBe("2,398.83");
    expect(average("0.00000120", "en")).toBe("0.0000012");
    expect(average("1200", "en")).toBe("1,200");
    expect(average("1.50E-7", "en")).toBe(exact("1.50E-7", "en"));
    expect(average(null, "en")).toBe(NOTHING);
  });

  it("rounds what a float would have got wrong", () => {
    expect(money("1.005", "en")).toBe("1.01");
    expect(money("0.615", "en")).toBe("0.62");
    expect(money("9007199.995", "en")).toBe("9,007,200.00");
  });

  it("shows the smallest amounts as more than nothing, and the largest in few digits", () => {
    expect(money("0.0000042", "en", true)).toBe("+0.0000042");
    expect(money("-0.00012345", "en", true)).toBe("−0.00012");
    expect(money("-98765432109876.54321", "en", true)).toBe("−98.765T");
    expect(money("0", "en", true)).toBe("0.00");
  });

  it("shows what is no number as nothing, never as zero", () => {
    for (const text of [null, undefined, "", "NaN", "Infinity", "1,5", "0x1f"]) {
      expect(exact(text, "en")).toBe(NOTHING);
      expect(money(text, "en")).toBe(NOTHING);
    }
    expect(plain(Number.NaN, "en")).toBe(NOTHING);
    expect(percent(null, "en")).toBe(NOTHING);
  });

  it("shows a measured price by the digits that count, and no noise of its float", () => {
    expect(figure(0.0000012345, "en", 10)).toBe("0.0000012345");
    expect(figure(512.3299999999999, "en", 10)).toBe("512.33");
    expect(figure(123_456_789.1, "en", 10)).toBe("123,456,789.1");
    expect(figure(-0.25, "en")).toBe("−0.25");
    expect(figure(null, "en")).toBe(NOTHING);
    expect(figure(Number.POSITIVE_INFINITY, "en")).toBe(NOTHING);
  });

  it("shows what is rounded to nothing without a sign, and a small multiple as more than nothing", () => {
    expect(plain(-0.001, "en")).toBe("0");
    expect(percent(-0.0001, "en")).toBe("0.0%");
    expect(plain(-1.5, "en")).toBe("−1.5");
    expect(multiple(-0.0042, "en")).toBe("−0.0042 R");
    expect(multiple("-0.38291827", "en")).toBe("−0.38 R");
    expect(multiple(null, "en")).toBe(NOTHING);
  });

  it("reads the sign from the text, however small the amount is", () => {
    expect(signOf("-0.00000000000000000000000000000000000001")).toBe(-1);
    expect(signOf("0.1e-400")).toBe(1);
    expect(signOf("-0.000")).toBe(0);
    expect(signOf(null)).toBe(0);
  });

  it("writes numbers as the language does", () => {
    expect(money("12345678901", "ko")).toBe("123.46억");
    expect(percent(0.1234, "ko")).toBe("12.3%");
  });
});

describe("times", () => {
  const noon = Date.parse("2026-11-22T12:00:00Z");

  it("shows the reader's zone, with the day where it is another one there", () => {
    expect(localTime(noon, noon, "en-GB", "UTC")).toBe("12:00:00");
    expect(localTime(noon, noon + 7_200_000, "en-GB", "America/New_York")).toBe("07:00:00");
    expect(localTime(noon + 4 * 3_600_000, noon, "en-GB", "Asia/Seoul")).toBe("23 Nov, 01:00");
    expect(utcTime(noon)).toBe("2026-11-22 12:00:00 UTC");
  });

  it("tells lengths in their two largest units", () => {
    expect(duration(0, "en")).toBe("0s");
    expect(duration(59_999, "en")).toBe("59s");
    expect(duration(3_725_000, "en")).toBe("1h 2m");
    expect(duration(90_061_000, "en")).toBe("1d 1h");
    expect(duration(-5, "en")).toBe("0s");
    expect(duration(null, "en")).toBe(NOTHING);
  });

  it("takes what is no instant for none", () => {
    expect(millis("yesterday-ish")).toBeNull();
    expect(millis(null)).toBeNull();
    expect(millis("2026-11-22T12:00:00Z")).toBe(noon);
  });
});
