package io.millrace.flink;

import org.apache.flink.table.functions.ScalarFunction;

/**
 * {@code FINITE(DOUBLE) → DOUBLE}: the number, or NULL for what is beyond the doubles or none. 0 is never negative.
 *
 * <p>Why: JSON has no infinity and no NaN, and in SQL a division by 0 of doubles is one of them. Which of 0 and -0 is the greater one is up to
 * the order in which they come.
 */
public final class Finite extends ScalarFunction {

    public Double eval(Double number) {
        return number == null || !Double.isFinite(number) ? null : number + 0.0;
    }
}
