package io.millrace.flink;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.FunctionDefinition;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.ArgumentCount;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.ConstantArgumentCount;
import org.apache.flink.table.types.inference.InputTypeStrategies;
import org.apache.flink.table.types.inference.InputTypeStrategy;
import org.apache.flink.table.types.inference.Signature;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategy;

/** Arguments as they are declared, and the rows of tables as {@link RowData}, which a declaration alone does not bring about (Flink 2.3). */
final class TablesInFlinksRows implements InputTypeStrategy {

    /**
     * The types of a function as it declares them, but for its output.
     *
     * @param isSpecialized whether they are those of a call that is planned; before that the planner asks for the arguments as they are declared
     */
    static TypeInference inference(TypeInference declared, boolean isSpecialized, TypeStrategy output) {
        return TypeInference.newBuilder()
                .staticArguments(declared.getStaticArguments().orElseThrow())
                .inputTypeStrategy(isSpecialized ? new TablesInFlinksRows() : InputTypeStrategies.WILDCARD)
                .stateTypeStrategies(declared.getStateTypeStrategies())
                .outputTypeStrategy(output)
                .build();
    }

    @Override
    public ArgumentCount getArgumentCount() {
        return ConstantArgumentCount.any();
    }

    @Override
    public Optional<List<DataType>> inferInputTypes(CallContext call, boolean throwOnFailure) {
        List<DataType> types = new ArrayList<>();
        for (DataType type : call.getArgumentDataTypes()) {
            boolean isTable = call.getTableSemantics(types.size()).isPresent();
            types.add(isTable ? type.bridgedTo(RowData.class) : type);
        }
        return Optional.of(types);
    }

    @Override
    public List<Signature> getExpectedSignatures(FunctionDefinition definition) {
        return List.of();
    }
}
