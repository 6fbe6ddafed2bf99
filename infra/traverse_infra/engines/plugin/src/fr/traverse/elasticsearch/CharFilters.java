package fr.traverse.elasticsearch;

import static org.elasticsearch.plugins.AnalysisPlugin.requiresAnalysisSettings;

import java.io.Reader;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.charfilter.HTMLStripCharFilter;
import org.apache.lucene.analysis.charfilter.MappingCharFilter;
import org.apache.lucene.analysis.charfilter.NormalizeCharMap;
import org.apache.lucene.analysis.pattern.PatternReplaceCharFilter;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.analysis.Analysis;
import org.elasticsearch.index.analysis.CharFilterFactory;
import org.elasticsearch.index.analysis.NormalizingCharFilterFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;

/** The character filters, a table: type name to what builds it from its parameters. */
final class CharFilters {
    private static final Pattern RULE = Pattern.compile("(.*)\\s*=>\\s*(.*)\\s*$");
    private static final Pattern ESCAPE = Pattern.compile("\\\\(u[0-9A-Fa-f]{4}|.)");

    private CharFilters() {}

    static Map<String, AnalysisProvider<CharFilterFactory>> byName() {
        return Map.of(
                "mapping", requiresAnalysisSettings((index, env, name, s) -> {
                    UnaryOperator<Reader> create = mapping(env, s);
                    return new NormalizingCharFilter(name, create);
                }),
                "pattern_replace", requiresAnalysisSettings((index, env, name, s) -> {
                    Pattern pattern = TokenFilters.pattern(s, null);
                    String replacement = s.get("replacement", "");
                    UnaryOperator<Reader> create = in -> new PatternReplaceCharFilter(pattern, replacement, in);
                    return new NormalizingCharFilter(name, create);
                }),
                "html_strip", (index, env, name, s) -> {
                    Set<String> escaped = Set.copyOf(s.getAsList("escaped_tags"));
                    return new CharFilter(name, in -> new HTMLStripCharFilter(in, escaped));
                });
    }

    private record CharFilter(String name, UnaryOperator<Reader> create) implements CharFilterFactory {
        @Override
        public Reader create(Reader in) {
            return create.apply(in);
        }
    }

    /** One that keyword normalizers may use too. */
    private record NormalizingCharFilter(String name, UnaryOperator<Reader> create)
            implements NormalizingCharFilterFactory {
        @Override
        public Reader create(Reader in) {
            return create.apply(in);
        }
    }

    private static UnaryOperator<Reader> mapping(Environment env, Settings s) {
        List<String> rules = Analysis.getWordList(env, s, "mappings");
        if (rules == null) {
            throw new IllegalArgumentException("mapping requires either `mappings` or `mappings_path` to be configured");
        }
        NormalizeCharMap.Builder builder = new NormalizeCharMap.Builder();
        for (String rule : rules) {
            Matcher sides = RULE.matcher(rule);
            if (!sides.find()) {
                throw new RuntimeException("Invalid Mapping Rule : [" + rule + "]");
            }
            builder.add(unescaped(sides.group(1).trim()), unescaped(sides.group(2).trim()));
        }
        NormalizeCharMap map = builder.build();
        return in -> new MappingCharFilter(map, in);
    }

    private static String unescaped(String side) {
        return ESCAPE.matcher(side).replaceAll(match -> Matcher.quoteReplacement(character(match.group(1))));
    }

    private static String character(String escape) {
        return switch (escape.charAt(0)) {
            case 'u' -> escape.length() == 5
                    ? String.valueOf((char) Integer.parseInt(escape.substring(1), 16))
                    : escape;
            case 't' -> "\t";
            case 'n' -> "\n";
            case 'r' -> "\r";
            case 'b' -> "\b";
            case 'f' -> "\f";
            default -> escape;
        };
    }
}
