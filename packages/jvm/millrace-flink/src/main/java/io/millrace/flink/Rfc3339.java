package io.millrace.flink;

import java.time.DateTimeException;
import java.time.LocalDate;

/**
 * Times as RFC 3339 §5.6 writes them, read strictly: date, "T", time, fraction or none, and always an offset. What an offset moves
 * out of the years 0000 to 9999 of UTC is none: it could not be written as such a time again.
 */
final class Rfc3339 {

    static final long INVALID = Long.MIN_VALUE;

    private static final int SECONDS_PER_DAY = 86_400;
    private static final long SECONDS_MIN = LocalDate.of(0, 1, 1).toEpochDay() * SECONDS_PER_DAY;
    private static final long SECONDS_END = LocalDate.of(10_000, 1, 1).toEpochDay() * SECONDS_PER_DAY;
    private static final int TIME_LENGTH = "2001-01-01T00:00:00".length();

    private Rfc3339() {}

    /** Milliseconds since the epoch, finer digits cut off, or {@link #INVALID}. */
    static long epochMillis(CharSequence text) {
        if (text.length() <= TIME_LENGTH || !separatorsFit(text)) {
            return INVALID;
        }
        long day = epochDay(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2));
        int hour = digits(text, 11, 2);
        int minute = digits(text, 14, 2);
        int second = digits(text, 17, 2);
        int zone = endOfFraction(text);
        if (day == INVALID || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 || zone < 0) {
            return INVALID;
        }
        int offset = offsetSeconds(text, zone);
        if (offset == Integer.MIN_VALUE) {
            return INVALID;
        }
        long seconds = day * SECONDS_PER_DAY + hour * 3_600L + minute * 60L + second - offset;
        // A leap second stands only at the end of a day in UTC; it counts as the first second of the next day.
        if (second == 60 && Math.floorMod(seconds, SECONDS_PER_DAY) != 0) {
            return INVALID;
        }
        if (seconds < SECONDS_MIN || seconds >= SECONDS_END) {
            return INVALID;
        }
        return seconds * 1_000 + millisOfFraction(text, zone);
    }

    private static boolean separatorsFit(CharSequence text) {
        char t = text.charAt(10);
        return text.charAt(4) == '-'
                && text.charAt(7) == '-'
                && (t == 'T' || t == 't')
                && text.charAt(13) == ':'
                && text.charAt(16) == ':';
    }

    private static long epochDay(int year, int month, int day) {
        if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31) {
            return INVALID;
        }
        try {
            return LocalDate.of(year, month, day).toEpochDay();
        } catch (DateTimeException e) {
            return INVALID;
        }
    }

    /** Where the zone begins: after the seconds, or after a fraction of at least one digit; -1 when there is none. */
    private static int endOfFraction(CharSequence text) {
        if (text.charAt(TIME_LENGTH) != '.') {
            return TIME_LENGTH;
        }
        int end = TIME_LENGTH + 1;
        while (end < text.length() && isDigit(text.charAt(end))) {
            end++;
        }
        return end == TIME_LENGTH + 1 || end == text.length() ? -1 : end;
    }

    private static int millisOfFraction(CharSequence text, int zone) {
        int millis = 0;
        int scale = 100;
        for (int at = TIME_LENGTH + 1; at < zone && scale > 0; at++, scale /= 10) {
            millis += (text.charAt(at) - '0') * scale;
        }
        return millis;
    }

    private static int offsetSeconds(CharSequence text, int zone) {
        char sign = text.charAt(zone);
        if (sign == 'Z' || sign == 'z') {
            return text.length() == zone + 1 ? 0 : Integer.MIN_VALUE;
        }
        if ((sign != '+' && sign != '-') || text.length() != zone + 6 || text.charAt(zone + 3) != ':') {
            return Integer.MIN_VALUE;
        }
        int hours = digits(text, zone + 1, 2);
        int minutes = digits(text, zone + 4, 2);
        if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
            return Integer.MIN_VALUE;
        }
        return (sign == '-' ? -1 : 1) * (hours * 3_600 + minutes * 60);
    }

    /** The number that {@code count} digits spell, or -1 where there is another character. */
    private static int digits(CharSequence text, int from, int count) {
        int number = 0;
        for (int at = from; at < from + count; at++) {
            if (!isDigit(text.charAt(at))) {
                return -1;
            }
            number = number * 10 + text.charAt(at) - '0';
        }
        return number;
    }

    private static boolean isDigit(char character) {
        return character >= '0' && character <= '9';
    }
}
